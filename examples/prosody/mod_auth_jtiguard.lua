-- SPDX-License-Identifier: Apache-2.0
-- Logins to Prosody with a token that a web application hands to its own user: a JWT with HS256, for this host, for a
-- minute or so, and good for one login. It is sent as the password of SASL PLAIN, so over TLS.
--
--   VirtualHost "chat.example"
--       authentication = "jtiguard"
--       jtiguard_key = "…"                     -- shared with the web application; 32 random bytes or more
--       jtiguard_issuer = "https://app.example"
--       jtiguard_url = "http://127.0.0.1:9870" -- jtiguard serve --api-secret-file …
--       jtiguard_secret = "…"

local async = require "util.async";
local http = require "net.http";
local json = require "util.json";
local jwt = require "util.jwt";
local new_sasl = require "util.sasl".new;
local uuid = require "util.uuid".generate;

local host = module.host;
local key = assert(module:get_option_string("jtiguard_key"), "jtiguard_key is not set");
local issuer = assert(module:get_option_string("jtiguard_issuer"), "jtiguard_issuer is not set");
local url = module:get_option_string("jtiguard_url", "http://127.0.0.1:9870") .. "/v1/reserve";
local secret = assert(module:get_option_string("jtiguard_secret"), "jtiguard_secret is not set");
assert(#key >= 32, "jtiguard_key is shorter than 32 bytes");

-- Of two generations of util.jwt.
local verify = jwt.new_verifier and jwt.new_verifier("HS256", key)
	or function (token) return jwt.verify(key, token); end

-- What the token says, if it is for this login; the guard looks at the times.
local function claims_of(username, token)
	local good, claims = verify(token);
	if not good or type(claims) ~= "table" then return nil; end
	if claims.iss ~= issuer or claims.aud ~= host or claims.sub ~= username then return nil; end
	return claims;
end

-- One answer of the guard: whether it is to be asked again, and whether it admits.
local function ask(body)
	local wait, done = async.waiter();
	local text, status;
	http.request(url, {
		method = "POST", body = body;
		headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. secret };
	}, function (answer, code)
		text, status = answer, code;
		done();
	end);
	wait();
	if status ~= 200 then return not (status == 409 or status == 422 or status == 401), false; end
	local answer = json.decode(text);
	return false, type(answer) == "table" and answer.result == "admitted";
end

local function is_first_use(claims)
	local body = json.encode({
		kind = "custom", custom_kind = "chat login", iss = claims.iss, aud = claims.aud, jti = claims.jti;
		iat = claims.iat, exp = claims.exp, owner = uuid(); -- the same for each try: a lost answer is asked for again
	});
	for _ = 1, 3 do
		local again, admitted = ask(body);
		if not again then return admitted; end
	end
	return false;
end

local provider = {};

function provider.test_password(username, token)
	local claims = claims_of(username, token);
	if not claims then return nil, "no token for this login"; end
	if not is_first_use(claims) then return nil, "used before, or not to be known"; end
	return true;
end

function provider.user_exists() return true; end
function provider.get_password() return nil, "there are no passwords"; end
function provider.set_password() return nil, "there are no passwords"; end
function provider.create_user() return nil, "accounts are the web application's"; end
function provider.delete_user() return nil, "accounts are the web application's"; end

function provider.get_sasl_handler()
	return new_sasl(host, {
		plain_test = function (_, username, token)
			return provider.test_password(username, token) == true, true;
		end;
	});
end

module:provides("auth", provider);
