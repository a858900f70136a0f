import { useEffect } from 'react';
import { useHandoverProblem, useSession } from './hooks';
import { useStrings } from './strings';
import { toast } from './ui/common/toasts';
import { Shell } from './ui/shell/Shell';
import { Handover } from './ui/signin/Handover';
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
  const problem = useHandoverProblem();
  useEffect(() => {
    if (problem) toast(strings.handover.problem(strings.error(problem)));
  }, [strings, problem]);
  switch (session.phase) {
    case 'starting':
      return <Starting {...session} />;
    case 'signed_out':
      return <SignIn {...session} />;
    case 'handed_over':
      return <Handover {...session} />;
    case 'signed_in':
      return <Shell />;
  }
}
