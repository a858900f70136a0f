import { useEffect } from 'react';
import { useSession } from './hooks';
import { useStrings } from './strings';
import { Shell } from './ui/shell/Shell';
import { SignIn } from './ui/signin/SignIn';
import { Starting } from './ui/signin/Starting';

/** Who is signed in decides what is shown; the address stays, so that a deep link survives signing in. */
export function App() {
  const strings = useStrings();
  const session = useSession();
  const isIn = session.phase === 'signed_in';
  useEffect(() => {
    document.documentElement.lang = strings.lang;
    if (!isIn) document.title = strings.title(null, 0);
  }, [strings, isIn]);
  switch (session.phase) {
    case 'starting':
      return <Starting />;
    case 'signed_out':
      return <SignIn {...session} />;
    case 'signed_in':
      return <Shell />;
  }
}
