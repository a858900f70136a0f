// Requests made from the OpenAPI document, by whoever may send some: no answer that the document does not know, and no
// failure. The same ones each time.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { token } from './support/clients.mjs';
import { INSTALL_MS, environment, step } from './support/python.mjs';
import { request } from './support/raw.mjs';
import { startServer } from './support/server.mjs';

const PACKAGES = ['schemathesis==4.32.5', 'openapi-spec-validator==0.9.0'];
/** For each of those who ask. A number, not a time: what is asked may not hang on how fast the machine is. */
const EXAMPLES = 5;
const LIMIT_MS = 120_000;
const FOLDER = fileURLToPath(new URL('python/', import.meta.url));

const SETTINGS = { accounts: 'open', rate_limit_messages: 0, max_guests_per_ip_per_minute: 0, max_sign_ins_per_ip_per_minute: 0 };
const programs = await environment(...PACKAGES);

/**
 * Runs Schemathesis with a header, or none, against a server that nobody else asks. Its settings, with what they leave
 * out and why, lie in the folder.
 */
async function attack(server, who, header, ...more) {
  const args = ['run', `${server.url}/api/openapi.json`, '--generation-deterministic', '--max-examples', String(EXAMPLES)];
  if (header) args.push('--header', header);
  const env = { ...process.env, SCHEMATHESIS_HOOKS: 'schemathesis_hooks', PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1' };
  await step(`requests of ${who}`, join(programs, 'st'), [...args, ...more, '--no-color'], LIMIT_MS, { cwd: FOLDER, env });
}

const bearer = (id, claims) => `Authorization: Bearer ${token({ user_id: id, username: id, ...claims })}`;

describe('the OpenAPI document', { concurrency: 2 }, () => {
  const fact = (text, check) => it(text, { timeout: INSTALL_MS }, async () => check(await startServer(SETTINGS)));

  fact('is a valid one', async (server) => {
    const file = join(programs, '..', 'openapi.json');
    writeFileSync(file, (await request(server, '/api/openapi.json')).body);
    await step('validation', join(programs, 'openapi-spec-validator'), [file], INSTALL_MS);
  });

  fact('is true for staff', (server) => attack(server, 'staff', bearer('schemathesis-staff', { is_staff: true })));

  fact('is true for a user', (server) => attack(server, 'a user', bearer('schemathesis-user')));

  fact('is true for a guest', async (server) => {
    const { body } = await request(server, '/api/guest-sessions', { method: 'POST' });
    // A guest needs no Authorization, and one that is none of ours (a proxy's) keeps no guest out.
    await attack(server, 'a guest', `X-Guest-Session: ${JSON.parse(body).guest_session}`, '--exclude-checks', 'ignored_auth,missing_required_header');
  });

  fact('is true for nobody in particular', (server) => attack(server, 'a stranger'));
});
