// Tables as text, for people and for docs/scaling.md.

/** A number with three digits that mean something. */
export function short(value) {
  if (typeof value !== 'number') return String(value);
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  for (const [size, unit] of [[1e9, 'G'], [1e6, 'M'], [1e4, 'k']]) {
    if (Math.abs(value) >= size) return `${digits(value / (unit === 'k' ? 1e3 : size))} ${unit}`;
  }
  return digits(value);
}

function digits(value) {
  if (Math.abs(value) >= 99.95) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 9.995 ? 1 : 2).replace(/\.?0+$/, '');
}

/** `rows` are objects with the same keys, which are the heads. What begins with a letter in the first row is words. */
export function table(rows) {
  const heads = Object.keys(rows[0]);
  const cells = [heads, ...rows.map((row) => heads.map((head) => short(row[head])))];
  const widths = heads.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const isText = cells[1].map((cell, i) => i === 0 || /^[a-z(]/i.test(cell));
  const line = (row) => row.map((cell, i) => (isText[i] ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ').trimEnd();
  return cells.map(line).join('\n');
}
