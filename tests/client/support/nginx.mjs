// nginx before the nodes of a test file, as examples/cluster has it, on ports of its own.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, freePort } from './program.mjs';

/** Starts one before the nodes that listen on `ports`. */
export async function startNginx(ports) {
  const nginx = new Nginx(await freePort(), ports);
  await nginx.start();
  return nginx;
}

class Nginx extends Program {
  /** Its workers would outlive SIGKILL. */
  lastSignal = 'SIGTERM';

  #ports;

  constructor(port, ports) {
    super('nginx');
    this.port = port;
    this.#ports = ports;
  }

  get url() { return `http://127.0.0.1:${this.port}`; }

  async start() {
    const file = join(this.dataDir, 'nginx.conf');
    writeFileSync(file, configuration(this.port, this.#ports));
    await this.run(command(), ['-p', this.dataDir, '-c', file, '-e', 'stderr'], (line) => line.includes('start worker process '));
  }
}

/** Debian has it where only root looks. */
function command() {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return execFileSync('sh', ['-c', 'command -v nginx'], { env: { PATH: path }, encoding: 'utf8' }).trim();
}

function configuration(port, ports) {
  const node = (i) => `node-${i + 1}`;
  const others = (own) => ports.filter((other) => other !== own).map((other) => `server 127.0.0.1:${other} max_fails=1 fail_timeout=1s backup;`);
  return `
daemon off;
${process.getuid() === 0 ? 'user root;' : ''}
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 60m;

  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  # Who was with a node stays with it, while it is there.
  map $cookie_confab_node $confab {
    default any;
    ${ports.map((_, i) => `${node(i)} ${node(i)};`).join('\n    ')}
  }
  map $upstream_addr $confab_node {
    ${ports.map((each, i) => `~:${each}$ ${node(i)};`).join('\n    ')}
  }
  upstream any { ${ports.map((each) => `server 127.0.0.1:${each} max_fails=1 fail_timeout=1s;`).join(' ')} }
  ${ports.map((each, i) => `upstream ${node(i)} { server 127.0.0.1:${each} max_fails=1 fail_timeout=1s; ${others(each).join(' ')} }`).join('\n  ')}

  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://$confab;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_buffering off;
      proxy_read_timeout 120s;
      proxy_next_upstream error timeout http_503;
      add_header Set-Cookie "confab_node=$confab_node; Path=/; HttpOnly; SameSite=Lax" always;
    }
  }
}
`;
}
