// How does an OpenID Connect issuer run for tests: on 127.0.0.1 alone, on a free port, keeping nothing?
//
//     node server.mjs <folder with node_modules> [<the name that it gives itself>]
//
// prints `port <number>` when it listens. A token is had with the grant type `urn:test:person`, whose
// parameters say whom it is for; POST /admin/rotate gives it new keys, under a new algorithm if it is named.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// Advice for production, which nobody reads here.
console.info = console.warn = () => {};

const require = createRequire(join(process.argv[2], 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const PERSON = 'urn:test:person';
const PARAMETERS = ['sub', 'email', 'email_verified', 'audience', 'lifetime'];
const PAIRS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
};

let algorithm = 'RS256';
let keys = [newKey()];
let answer;

function newKey() {
  const jwk = PAIRS[algorithm]().privateKey.export({ format: 'jwk' });
  return { ...jwk, kid: randomUUID(), use: 'sig', alg: algorithm };
}

function start(port) {
  const provider = new Provider(process.argv[3] ?? `http://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: 'console',
        client_secret: 'secret of the console',
        grant_types: [PERSON],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: algorithm,
      },
    ],
    cookies: { keys: [randomUUID()] },
    enabledJWA: { idTokenSigningAlgValues: Object.keys(PAIRS) },
    extraTokenClaims: ({ oidc: { client, params } }) => ({
      azp: params.audience ? undefined : client.clientId,
      email: params.email,
      email_verified: params.email_verified === 'true',
    }),
    features: { devInteractions: { enabled: false } },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    jwks: { keys },
  });
  provider.registerGrantType(PERSON, (ctx) => issue(provider, ctx), PARAMETERS);
  answer = provider.callback();
}

async function issue(provider, ctx) {
  const { client, params } = ctx.oidc;
  const token = new provider.AccessToken({
    client,
    accountId: params.sub,
    expiresIn: Number(params.lifetime ?? 300),
    gty: 'person',
    resourceServer: new provider.ResourceServer('urn:test:api', {
      accessTokenFormat: 'jwt',
      audience: params.audience ?? 'account',
      jwt: { sign: { alg: algorithm } },
    }),
  });
  const accessToken = await token.save();
  const idToken = new provider.IdToken({ sub: params.sub }, { ctx });
  idToken.scope = 'openid';
  idToken.set('at_hash', accessToken);
  ctx.body = {
    access_token: accessToken,
    expires_in: token.expiration,
    id_token: await idToken.issue({ use: 'idtoken' }),
    token_type: 'Bearer',
  };
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  if (request.method !== 'POST' || url.pathname !== '/admin/rotate') {
    answer(request, response);
    return;
  }
  algorithm = url.searchParams.get('algorithm') ?? algorithm;
  keys = [newKey()];
  start(server.address().port);
  response.end('{}');
});

server.listen(0, '127.0.0.1', () => {
  start(server.address().port);
  console.log(`port ${server.address().port}`);
});
