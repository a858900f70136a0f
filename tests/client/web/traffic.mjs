// What a page fetches, as the browser's own tools see it.

/** Everything that the page asks for from here on. */
export async function watchTraffic(page) {
  const tools = await page.context().newCDPSession(page);
  const traffic = new Traffic();
  tools.on('Network.requestWillBeSent', ({ requestId, request }) => traffic.asked(requestId, request));
  tools.on('Network.requestServedFromCache', ({ requestId }) => traffic.note(requestId, { isCached: true }));
  tools.on('Network.responseReceived', ({ requestId, response }) => {
    const { status, fromDiskCache, headers } = response;
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    traffic.note(requestId, { status, headers: lower, ...(fromDiskCache && { isCached: true }) });
  });
  tools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) =>
    traffic.note(requestId, { bytes: encodedDataLength, isDone: true }));
  tools.on('Network.webSocketCreated', ({ requestId, url }) => {
    traffic.asked(requestId, { url, method: 'GET' });
    traffic.note(requestId, { isSocket: true, isDone: true });
  });
  await tools.send('Network.enable');
  return traffic;
}

class Traffic {
  #requests = new Map();

  asked(id, { url, method }) {
    this.#requests.set(id, { url, method, path: new URL(url).pathname, bytes: 0, isCached: false, isDone: false });
  }

  note(id, facts) { Object.assign(this.#requests.get(id) ?? {}, facts); }

  /** In the order of asking: `{url, method, path, status, headers, bytes, isCached, isSocket, isDone}`. */
  get all() { return [...this.#requests.values()]; }

  /** Over the network, headers included. */
  get bytes() { return this.all.reduce((sum, { bytes, isCached }) => sum + (isCached ? 0 : bytes), 0); }

  /** Of those that went over the network. */
  get paths() { return this.all.filter(({ isCached }) => !isCached).map(({ path }) => path); }
}
