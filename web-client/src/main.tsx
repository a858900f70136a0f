import './styles/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { createClient } from './client/client';
import { ClientProvider } from './hooks';
import { ErrorBoundary } from './ui/common/ErrorBoundary';

const root = document.getElementById('root');
if (!root) throw new Error('There is no #root on this page.');

createRoot(root).render(
  <StrictMode>
    <ErrorBoundary>
      <ClientProvider client={createClient()}>
        <App />
      </ClientProvider>
    </ErrorBoundary>
  </StrictMode>,
);
