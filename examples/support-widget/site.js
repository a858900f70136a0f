// What a site does with the widget, beside embedding it: says who is there, and who is not any more.

const [signIn, signOut, ask, unread] = ['sign-in', 'sign-out', 'ask', 'unread'].map((id) => document.getElementById(id));

/** Asks our own server who is signed in here; null if nobody is. */
async function fetchToken() {
  const response = await fetch('/token');
  return response.ok ? (await response.json()).token : null;
}

function show(isSignedIn) {
  signIn.hidden = isSignedIn;
  signOut.hidden = !isSignedIn;
}

// The widget's script may come later than this one: what is pushed is done when it is there.
(window.Confab ??= []).push(async (confab) => {
  // Tokens end. The widget asks for the next one when it needs it.
  confab.onTokenNeeded(fetchToken);
  confab.on('unread', (count) => { unread.textContent = count > 0 ? `${count} unread` : ''; });
  ask.addEventListener('click', () => confab.open());

  const token = await fetchToken();
  show(token !== null);
  if (token) confab.signIn(token);

  signIn.addEventListener('click', async () => {
    await fetch('/sign-in', { method: 'POST' });
    show(true);
    confab.signIn(await fetchToken());
  });
  signOut.addEventListener('click', async () => {
    await fetch('/sign-out', { method: 'POST' });
    show(false);
    // Or the next person at this computer reads on.
    confab.signOut();
  });
});
