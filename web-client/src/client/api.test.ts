import { expect, it } from 'vitest';
import { createApi, isPassing } from './api';

const answered = async (status: number, body: string) => {
  const result = await createApi(async () => new Response(body, { status })).refresh();
  return result.ok ? 'ok' : `${result.error.code} ${isPassing(result.error) ? 'for now' : 'for good'}`;
};

it.each([
  [200, '{"success":true}', 'ok'],
  [401, '{"success":false,"code":"unauthorized","message":"no"}', 'unauthorized for good'],
  [401, '{"success":false,"code":"signed_out","message":"no"}', 'signed_out for good'],
  [503, '{"success":false,"code":"something_new","message":"no"}', 'something_new for now'],
  [404, '{"success":false,"code":"not_found","message":"no"}', 'not_found for now'],
  [200, '<html></html>', 'unreachable for now'],
  [200, '{}', 'unreachable for now'],
  [200, 'null', 'unreachable for now'],
  [502, '{"code":"unauthorized","message":"of a proxy"}', 'unreachable for now'],
  [401, '{"error":"captive portal"}', 'unreachable for now'],
])('%i %s is %s', async (status, body, expected) => {
  expect(await answered(status, body)).toBe(expected);
});
