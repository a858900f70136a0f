import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { build, type InlineConfig, type Plugin } from 'vite';

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const COMMON: InlineConfig = {
  configFile: false,
  root: file('.'),
  publicDir: false,
  logLevel: 'warn',
};

/** The script that other sites load: one file without imports, that leaves nothing on the page but what it means to. */
const LOADER: InlineConfig = {
  ...COMMON,
  build: {
    write: false,
    lib: { entry: file('src/widget/loader.ts'), formats: ['iife'], name: 'confabLoader', fileName: () => 'widget.js' },
  },
};

/** The page in the frame, with a folder of its own: it shares nothing with the web client, whose parts would be more. */
const PAGE: InlineConfig = {
  ...COMMON,
  plugins: [react()],
  build: {
    write: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    assetsDir: 'widget',
    rollupOptions: { input: file('widget.html') },
  },
};

async function filesOf(config: InlineConfig) {
  const result = await build(config);
  const outputs = Array.isArray(result) ? result : [result];
  return outputs.flatMap((one) => ('output' in one ? one.output : []));
}

/** The support widget: `/widget.js`, `/widget` and what they need, beside the web client. */
export function supportWidget(): Plugin {
  return {
    name: 'support-widget',
    async generateBundle() {
      for (const config of [LOADER, PAGE]) {
        for (const made of await filesOf(config)) {
          const source = made.type === 'chunk' ? made.code : made.source;
          this.emitFile({ type: 'asset', fileName: made.fileName, source });
        }
      }
    },
    configureServer(server) {
      server.middlewares.use('/widget.js', async (_, response) => {
        const [made] = await filesOf(LOADER);
        response.setHeader('Content-Type', 'text/javascript');
        response.end(made?.type === 'chunk' ? made.code : '');
      });
      server.middlewares.use((request, _, next) => {
        if (request.url === '/widget') request.url = '/widget.html';
        next();
      });
    },
  };
}
