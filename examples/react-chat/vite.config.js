import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative, so that dist/ works at / as well as in a subfolder.
  base: './',
  plugins: [react()],
  server: {
    proxy: { '/socket.io': { target: 'http://127.0.0.1:3000', ws: true } },
  },
});
