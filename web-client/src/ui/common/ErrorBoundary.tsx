import { Unplug } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { useStrings } from '../../strings';
import { Button } from './Button';
import { Notice } from './Notice';

interface ErrorBoundaryProps {
  children: ReactNode;
  /** For a part that the rest can do without. */
  fallback?: ReactNode;
}

/** What is left when a component throws: a way to start again. */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { isBroken: boolean }> {
  override state = { isBroken: false };

  static getDerivedStateFromError(): { isBroken: boolean } {
    return { isBroken: true };
  }

  override render(): ReactNode {
    if (!this.state.isBroken) return this.props.children;
    return this.props.fallback ?? <Crash />;
  }
}

function Crash() {
  const strings = useStrings();
  return (
    <main style={{ blockSize: '100%' }}>
      <Notice icon={<Unplug size={24} />} title={strings.crash.title} text={strings.crash.text}>
        <Button variant="primary" onPress={() => window.location.reload()}>
          {strings.crash.reload}
        </Button>
      </Notice>
    </main>
  );
}
