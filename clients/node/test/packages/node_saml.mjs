// SPDX-License-Identifier: Apache-2.0
// @node-saml/node-saml: responses of an identity provider of the test's own, with our request ids and our guard
// behind its checks, on two workers that share nothing but the guard.
import crypto from 'node:crypto';
import { Guard, guardSaml, samlRequests } from 'jtiguard';
import nodeSaml from '@node-saml/node-saml';
import xmlCrypto from 'xml-crypto';
import { expect, run } from './support/verdict.mjs';
import { expectOnce, judgeStore, letIn, startService } from './service.mjs';

const { SAML, ValidateInResponseTo } = nodeSaml;
const IDP = 'https://idp.example';
const SP = 'https://sp.example';
const SECRET = 'a secret of the test alone';
const keys = crypto.generateKeyPairSync('rsa', {
  modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

function worker(guard, { guarded = true, ...more } = {}) {
  const saml = new SAML({
    callbackUrl: `${SP}/acs`, entryPoint: `${IDP}/sso`, issuer: SP, audience: SP, idpCert: keys.publicKey, idpIssuer: IDP,
    wantAuthnResponseSigned: false, wantAssertionsSigned: true, validateInResponseTo: ValidateInResponseTo.always,
    ...samlRequests(guard, { secret: SECRET }), ...more,
  });
  return guarded ? guardSaml(saml, guard) : saml;
}

async function requestOf(saml) {
  const text = await saml.generateAuthorizeRequestAsync(false, true);
  return / ID="([^"]+)"/.exec(text)[1];
}

function signed(assertion, id) {
  const signature = new xmlCrypto.SignedXml({
    privateKey: keys.privateKey, signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#',
  });
  signature.addReference({
    xpath: `//*[@ID="${id}"]`, digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
  });
  signature.computeSignature(assertion, { location: { reference: "//*[local-name(.)='Issuer']", action: 'after' } });
  return signature.getSignedXml();
}

// confirmed: the confirmation names the request too, as it should.
function response(request, { audience = SP, confirmed = true } = {}) {
  const id = `_${crypto.randomUUID()}`;
  const at = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  const end = ` NotOnOrAfter="${at(60)}"`;
  const assertion = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="${id}" Version="2.0" IssueInstant="${at(0)}">`
    + `<saml:Issuer>${IDP}</saml:Issuer><saml:Subject><saml:NameID>user-1</saml:NameID>`
    + `<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData${end} Recipient="${SP}/acs"`
    + `${confirmed ? ` InResponseTo="${request}"` : ''}/></saml:SubjectConfirmation></saml:Subject>`
    + `<saml:Conditions NotBefore="${at(-5)}"${end}><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>`
    + `<saml:AuthnStatement AuthnInstant="${at(0)}"><saml:AuthnContext><saml:AuthnContextClassRef>x</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`
    + '</saml:Assertion>';
  const whole = `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r${id}" Version="2.0" IssueInstant="${at(0)}" InResponseTo="${request}">`
    + `<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">${IDP}</saml:Issuer>`
    + `<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>${signed(assertion, id)}</samlp:Response>`;
  return { SAMLResponse: Buffer.from(whole).toString('base64') };
}

const show = (saml, container) => letIn(saml.validatePostResponseAsync(container));

run(async () => {
  const service = await startService();
  const others = new Guard({ socket: service.socket });
  const [one, two] = [worker(service.guard), worker(others)];
  let turn = 0;
  const either = () => [one, two][(turn += 1) % 2];

  // Where the confirmation does not name the request, node-saml takes its id out of no cache: the assertion is what is used once.
  for (const confirmed of [true, false]) {
    const container = response(await requestOf(one), { confirmed });
    await expectOnce(`a response, confirmed ${confirmed}`, () => show(either(), container));
  }
  // One request is answered once, whatever the answers are.
  const request = await requestOf(one);
  await expectOnce('responses to one request', () => show(either(), response(request)));
  // A response for others uses up the request, and not the assertion of another response.
  const asked = await requestOf(two);
  expect('a response for others', await show(one, response(asked, { audience: 'https://other.example' })), false);
  expect('a response to a request of nobody', await show(one, response(`_${'0'.repeat(76)}`)), false);
  const forged = (await requestOf(one)).replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  expect('a response to a request that was changed', await show(one, response(forged)), false);

  // Where all times are taken an assertion ends never, if nobody says when.
  const timeless = () => worker(service.guard, { guarded: false, acceptedClockSkewMs: -1 });
  const bounded = guardSaml(timeless(), service.guard, { lifetimeMs: 3_600_000 });
  const unended = response(await requestOf(bounded));
  expect('where all times are taken', await show(guardSaml(timeless(), service.guard), response(await requestOf(one))), false);
  await expectOnce('where all times are taken, and it is said for how long', () => show(bounded, unended));

  await judgeStore('node-saml', service, async () => {
    const container = response(await requestOf(one));
    return () => show(either(), container);
  });
  others.close();
});
