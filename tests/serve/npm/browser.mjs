// SPDX-License-Identifier: Apache-2.0
// A user's browser, as far as an issuer's own pages need one: cookies, redirects, forms.

export class Browser {
  #cookies = new Map();

  async #ask(url, form) {
    const answer = await fetch(url, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: form === undefined ? undefined : new URLSearchParams(form),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split(/=(.*)/s);
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return answer;
  }

  // Follows until `isThere` says of an address that it is where this was to lead; gives that address,
  // or the last page.
  async follow(url, isThere = () => false, form = undefined) {
    let at = new URL(url);
    let answer = await this.#ask(at, form);
    for (let hops = 0; answer.status >= 300 && answer.status < 400 && hops < 20; hops += 1) {
      at = new URL(answer.headers.get('location'), at);
      if (isThere(at)) return { at };
      answer = await this.#ask(at);
    }
    return { at, status: answer.status, text: await answer.text() };
  }

  // Signs in and consents on the pages that oidc-provider has for development.
  async signIn(url, isThere) {
    let place = await this.follow(url, isThere);
    for (let pages = 0; !isThere(place.at) && pages < 5; pages += 1) {
      const prompt = /name="prompt" value="(\w+)"/.exec(place.text)?.[1];
      if (prompt === undefined) throw new Error(`no form at ${place.at}: ${place.status}`);
      place = await this.follow(place.at, isThere, { prompt, login: 'user-1', password: 'any' });
    }
    return place.at;
  }

  async signOut(url) {
    const page = await this.follow(url);
    const action = /action="([^"]+)"/.exec(page.text)[1];
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)[1];
    return this.follow(action, () => false, { xsrf, logout: 'yes' });
  }
}
