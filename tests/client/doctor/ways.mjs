// Load balancers and proxies that are wrong, each in one way.
import http from 'node:http';
import { startBalancer } from '../support/balancer.mjs';
import { freePort } from '../support/program.mjs';

/** A configuration of nginx in a few lines, wrong in what `changes` say. */
export function plain(servers, { upstream = '', http: inHttp = '', location = '', upgrade = true, forwarded = true, host = true } = {}) {
  const header = (is, text) => (is ? `proxy_set_header ${text};` : '');
  return `worker_processes 1;
events { }
http {
  access_log off;
  ${inHttp}
  upstream nodes { ${upstream} ${servers.map(({ port }) => `server 127.0.0.1:${port};`).join(' ')} }
  server {
    listen 127.0.0.1:8080;
    location / {
      proxy_pass http://nodes;
      proxy_http_version 1.1;
      proxy_read_timeout 75s;
      ${header(upgrade, 'Upgrade $http_upgrade')}
      ${header(upgrade, 'Connection upgrade')}
      ${header(forwarded, 'X-Forwarded-For $proxy_add_x_forwarded_for')}
      ${header(host, 'Host $http_host')}
      ${location}
    }
  }
}`;
}

/** Runs something behind a load balancer. */
export async function behind(config, run, program = 'nginx') {
  const balancer = await startBalancer(program, config);
  try {
    return await run(balancer.url, balancer);
  } finally {
    await balancer.stop();
  }
}

/** A proxy of our own that passes requests on, and lets `change(request, answer)` change the answer or hold it back. */
export async function through(target, change, run) {
  const proxy = http.createServer((asked, answer) => {
    const { method, url, headers } = asked;
    const passed = http.request(`${target.url}${url}`, { method, headers, agent: false }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', async () => {
        const { body, headers: more, status } = await change(asked, { status: response.statusCode, headers: {}, body: Buffer.concat(parts).toString() });
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = response.headers;
        answer.writeHead(status, { ...kept, ...more, connection: 'close' });
        answer.end(body);
      });
    });
    passed.on('error', () => answer.destroy());
    answer.on('close', () => passed.destroy());
    asked.pipe(passed);
  });
  proxy.on('upgrade', (_, socket) => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
  const port = await freePort();
  await new Promise((resolve) => { proxy.listen(port, '127.0.0.1', resolve); });
  try {
    return await run(`http://127.0.0.1:${port}`);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
}
