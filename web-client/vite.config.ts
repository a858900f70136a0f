import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';
import { supportWidget } from './vite.widget.ts';

const require = createRequire(import.meta.url);
const SERVER = 'http://127.0.0.1:3000';

/** The folder of the emoji picker's data: it asks for `<folder>/<locale>/{data,messages}.json`. */
const { version } = require('emojibase-data/package.json') as { version: string };
const EMOJI_DATA = `assets/emojibase-${version}`;

/** Serves that data ourselves, under a name that changes with its content, as all assets have one. */
function emojiData(): Plugin {
  const files = ['en/data.json', 'en/messages.json'];
  return {
    name: 'emoji-data',
    generateBundle() {
      for (const file of files) {
        const source = readFileSync(require.resolve(`emojibase-data/${file}`));
        this.emitFile({ type: 'asset', fileName: `${EMOJI_DATA}/${file}`, source });
      }
    },
    configureServer(server) {
      server.middlewares.use(`/${EMOJI_DATA}`, (request, response, next) => {
        const file = files.find((name) => request.url === `/${name}`);
        if (!file) return next();
        response.setHeader('Content-Type', 'application/json');
        response.end(readFileSync(require.resolve(`emojibase-data/${file}`)));
      });
    },
  };
}

export default defineConfig({
  plugins: [react(), emojiData(), supportWidget()],
  define: { __EMOJI_DATA__: JSON.stringify(`/${EMOJI_DATA}`) },
  // Nothing inline: the Content-Security-Policy allows neither `data:` scripts nor styles.
  build: { assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: {
    proxy: {
      '/api': SERVER,
      '/socket.io': { target: SERVER, ws: true },
    },
  },
  test: { environment: 'node', include: ['src/**/*.test.{ts,tsx}'] },
} as Parameters<typeof defineConfig>[0]);
