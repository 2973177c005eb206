//! A browser as far as the dashboard can tell: it keeps cookies for a host and sends forms with the
//! token of its cookie. Pages are looked at in Chromium elsewhere.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, Ordering};

use tollgate_core::sign_in::{FormToken, Token};
use ureq::http::{Request, Response};

/// A browser at one origin.
#[derive(Clone, Debug)]
pub struct Browser {
    origin: String,
    /// The address that it comes from, as the network in front of the Worker tells it: limits of one test
    /// are none of another's.
    network: String,
    /// Where the origin's host leads to.
    server: String,
    cookies: BTreeMap<String, String>,
}

/// What came back.
#[derive(Debug)]
pub struct Shown {
    /// The HTTP status.
    pub status: u16,
    /// Where a redirect leads.
    pub location: String,
    /// The headers, in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

impl Browser {
    /// A browser that has never been there.
    pub fn new(origin: &str) -> Self {
        Self::at(origin, origin)
    }

    /// The same at a host that no name server knows: what is asked there is sent to `server`.
    pub fn at(origin: &str, server: &str) -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let [high, low] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        Self {
            origin: origin.to_owned(),
            network: format!("10.0.{high}.{low}"),
            server: server.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// A browser in which somebody signed in by a one-time link.
    pub fn signed_in(link: &str) -> Self {
        let (origin, path) = link.split_once("/sign-in").expect("a link");
        let mut browser = Self::new(origin);
        let shown = browser.get(&format!("/sign-in{path}"));
        assert_eq!(shown.status, 303, "{shown:?}");
        browser
    }

    /// Another browser at the same origin, which was never there.
    pub fn signed_out(&self) -> Self {
        Self::at(&self.origin, &self.server)
    }

    /// Opens a page.
    pub fn get(&mut self, path: &str) -> Shown {
        let request = Request::get(format!("{}{path}", self.server));
        self.send(request, String::new())
    }

    /// Sends a form as the pages do.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let csrf = if path.starts_with("/sign-in") {
            self.csrf_of(["__Host-browser", "__Host-session"])
        } else {
            self.csrf()
        };
        let mut form: Vec<(&str, &str)> = fields.to_vec();
        form.push(("csrf", &csrf));
        self.post_raw(path, &form, &self.origin.clone())
    }

    /// Sends a form with nothing but these fields, as from a page of that origin.
    pub fn post_raw(&mut self, path: &str, fields: &[(&str, &str)], origin: &str) -> Shown {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.post_body(path, body.finish(), origin)
    }

    /// Sends a form as the pages do; its fields are encoded already, or broken.
    pub fn post_encoded(&mut self, path: &str, fields: &str) -> Shown {
        let body = format!("{fields}&csrf={}", self.csrf());
        self.post_body(path, body, &self.origin.clone())
    }

    fn post_body(&mut self, path: &str, body: String, origin: &str) -> Shown {
        let request = Request::post(format!("{}{path}", self.server))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", origin);
        self.send(request, body)
    }

    /// Sends a body of another kind as the pages do, such as a form with a file.
    pub fn upload(&mut self, path: &str, content_type: &str, body: Vec<u8>) -> Shown {
        let request = Request::post(format!("{}{path}", self.server))
            .header("content-type", content_type)
            .header("origin", &self.origin);
        self.send(request, body)
    }

    /// What the forms of this browser carry.
    pub fn csrf(&self) -> String {
        self.csrf_of(["__Host-session", "__Host-browser"])
    }

    fn csrf_of(&self, cookies: [&str; 2]) -> String {
        let cookie = |name| self.cookies.get(name).and_then(|text| Token::parse(text));
        let token = cookies.into_iter().find_map(cookie);
        token.map_or_else(String::new, |token| {
            FormToken::of(&token).as_str().to_owned()
        })
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// Takes a cookie over from another browser, as a thief would.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Loses a cookie, as when another window of the browser signed out.
    pub fn forget(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    fn send<B: ureq::AsSendBody>(
        &mut self,
        request: ureq::http::request::Builder,
        body: B,
    ) -> Shown {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let (_, host) = self.origin.split_once("://").expect("an origin");
        let request = request
            .header("host", host)
            .header("cookie", cookies.join("; "))
            .header("cf-connecting-ip", &self.network);
        let shown = send(request.body(body).expect("a request"));
        for cookie in shown
            .headers
            .get("set-cookie")
            .into_iter()
            .flat_map(|all| all.split('\n'))
        {
            let (pair, _) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        shown
    }
}

impl Shown {
    /// What the page's form that posts to this address sends of itself, its token left out: the browser
    /// adds that.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let mark = format!("method=\"post\" action=\"{action}\"");
        let (_, form) = self
            .body
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no form for `{action}` in {}", self.body));
        let (form, _) = form.split_once("</form>").expect("an end");
        let hidden = form.split("<input type=\"hidden\" name=\"").skip(1);
        let fields = hidden.map(|field| {
            let (name, rest) = field.split_once('"').expect("a name");
            let (_, value) = rest.split_once("value=\"").expect("a value");
            let (value, _) = value.split_once('"').expect("an end");
            (name.to_owned(), plain(value))
        });
        fields.filter(|(name, _)| name != "csrf").collect()
    }

    /// The page's text without its markup, each run of white space one space.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in self.body.split('<').skip(1) {
            let (_, after) = part.split_once('>').unwrap_or((part, ""));
            text.push_str(after);
            text.push(' ');
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        plain(&words.join(" "))
    }
}

/// A body of any length; nothing of one that breaks off.
fn whole(body: &mut ureq::Body) -> String {
    let body = body.with_config().limit(u64::MAX);
    body.read_to_string().unwrap_or_default()
}

/// Text as it was before it was written into a page.
fn plain(html: &str) -> String {
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&amp;", "&"),
    ];
    signs
        .into_iter()
        .fold(html.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Sends a request and reads its answer, whatever the status; no redirect is followed.
pub fn send(request: Request<impl ureq::AsSendBody>) -> Shown {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build()
        .into();
    let mut response: Response<ureq::Body> = agent.run(request).expect("an answer");
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = value.to_str().unwrap_or_default();
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|known| *known = format!("{known}\n{value}"))
            .or_insert_with(|| value.to_owned());
    }
    Shown {
        status: response.status().as_u16(),
        location: headers.get("location").cloned().unwrap_or_default(),
        headers,
        body: whole(response.body_mut()),
    }
}

/// The `value` of the first field that has this in its tag.
pub fn value_after(page: &str, mark: &str) -> String {
    let at = page
        .find(mark)
        .unwrap_or_else(|| panic!("no {mark} in {page}"));
    let value = page[at..].split("value=\"").nth(1).unwrap();
    value.split('"').next().unwrap().to_owned()
}
