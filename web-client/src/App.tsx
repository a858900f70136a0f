import { lazy, Suspense, useEffect } from 'react';
import { useHandoverProblem, useSession } from './hooks';
import { useStrings } from './strings';
import { toast } from './ui/common/toasts';
import { useStaffPlace } from './ui/routes';
import { Shell } from './ui/shell/Shell';
import { Handover } from './ui/signin/Handover';
import { SignIn } from './ui/signin/SignIn';
import { Starting } from './ui/signin/Starting';

/** Few need it, so it comes when it is asked for. */
const Staff = lazy(() => import('./ui/staff/Staff'));

/** Who is signed in decides what is shown; the address stays, so that a deep link survives signing in. */
export function App() {
  const strings = useStrings();
  const session = useSession();
  const staffPlace = useStaffPlace();
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
      if (!staffPlace) return <Shell />;
      return (
        <Suspense fallback={<Starting problem={null} />}>
          <Staff place={staffPlace} />
        </Suspense>
      );
  }
}
