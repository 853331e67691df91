// SPDX-License-Identifier: Apache-2.0
export { Guard } from './guard.js';
export { claimsOf, expressOnce, fastifyOnce } from './middleware.js';
export { Refused } from './refused.js';
export { adcpReplayStore } from './stores/adcp.js';
export { atprotoReplayStore } from './stores/atproto.js';
export { guardSaml, samlRequests } from './stores/node_saml.js';
export { guardOidcProvider } from './stores/oidc_provider.js';
export { UniqueStore } from './unique.js';
