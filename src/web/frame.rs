//! What all pages have in common: head, navigation, who is here, language, theme.

use super::markup::{Html, put};
use super::texts::Texts;
use crate::config::Role;

/// What a page is drawn for.
pub struct Page<'a> {
    /// The words.
    pub texts: &'static Texts,
    /// `light` or `dark`, if the visitor chose one.
    pub theme: Option<&'static str>,
    /// `identifier` of the configuration.
    pub identifier: &'a str,
    /// Name of the machine.
    pub host: &'a str,
    /// Who looks at it; empty on a server that asks nobody.
    pub user: &'a str,
    /// What he may do.
    pub role: Role,
    /// He came through the sign-in page, so he can sign out.
    pub has_session: bool,
    /// What each of his forms carries.
    pub token: &'a str,
    /// Path and query of this page.
    pub here: &'a str,
    /// A moment in local time, for people.
    pub clock: &'a dyn Fn(i64) -> String,
}

/// The places in the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `/`
    Overview,
    /// `/events`
    Events,
    /// `/changes`
    Changes,
    /// `/log`
    Log,
    /// `/host`
    Host,
    /// `/about`
    About,
    /// Somewhere below one of these.
    Elsewhere,
}

impl Page<'_> {
    /// Whether the visitor may change anything.
    pub fn may_act(&self) -> bool {
        self.role == Role::Operator
    }

    /// A moment with its place in the markup, so that scripts can tell it too.
    pub fn moment(&self, html: &mut Html, secs: i64) {
        if secs == 0 {
            put!(html, (self.texts.never));
        } else {
            put!(html, "<time data-t=\"" (secs) "\">" ((self.clock)(secs)) "</time>");
        }
    }

    /// The whole page around `body`. `script` is the module that makes it live.
    pub fn whole(
        &self,
        title: &str,
        place: Place,
        script: Option<&'static str>,
        body: impl FnOnce(&mut Html),
    ) -> String {
        let texts = self.texts;
        let mut html = Html::new();
        put!(html, "<!DOCTYPE html>\n<html lang=\"" (texts.code) "\"");
        if let Some(theme) = self.theme {
            put!(html, " data-theme=\"" (theme) "\"");
        }
        put!(
            html,
            "><head><meta charset=\"utf-8\"><title>" (title) " · " (self.identifier)
            "</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\">"
            "<link rel=\"stylesheet\" href=\"/assets/console.css\">"
            "<link rel=\"icon\" href=\"/assets/icon.svg\" type=\"image/svg+xml\">"
            "<script type=\"module\" src=\"/assets/console.js\"></script>"
        );
        if let Some(script) = script {
            put!(html, "<script type=\"module\" src=\"/assets/" (script) "\"></script>");
        }
        put!(
            html,
            "</head><body data-token=\"" (self.token) "\" data-role=\"" (self.role.name())
            "\"><a class=\"skip\" href=\"#main\">" (texts.skip_to_content) "</a>"
        );
        self.header(&mut html, place);
        put!(html, "<main id=\"main\" tabindex=\"-1\">");
        body(&mut html);
        put!(html, "</main><div id=\"live\" class=\"sr\" role=\"status\" aria-live=\"polite\"></div></body></html>\n");
        html.finish()
    }

    fn header(&self, html: &mut Html, here: Place) {
        let texts = self.texts;
        put!(
            html,
            "<header class=\"top\"><a class=\"brand\" href=\"/\">"
            "<svg viewBox=\"0 0 16 16\" width=\"18\" height=\"18\" aria-hidden=\"true\">"
            "<rect x=\"1\" y=\"2\" width=\"14\" height=\"3\" rx=\"1.5\"/>"
            "<rect x=\"1\" y=\"6.5\" width=\"14\" height=\"3\" rx=\"1.5\"/>"
            "<rect x=\"1\" y=\"11\" width=\"9\" height=\"3\" rx=\"1.5\"/></svg><b>" (self.identifier) "</b> <span>"
            (self.host) "</span></a><nav aria-label=\"" (texts.navigation) "\"><ul>"
        );
        let places: [(Place, &str, &str); 6] = [
            (Place::Overview, "/", texts.overview),
            (Place::Events, "/events", texts.events),
            (Place::Changes, "/changes", texts.changes),
            (Place::Log, "/log", texts.log_of_daemon),
            (Place::Host, "/host", texts.host),
            (Place::About, "/about", texts.about),
        ];
        for (place, address, name) in places {
            put!(html, "<li><a href=\"" (address) "\"");
            if place == here {
                put!(html, " aria-current=\"page\"");
            }
            put!(html, ">" (name) "</a></li>");
        }
        put!(html, "</ul></nav><div class=\"me\"><span id=\"link\" class=\"link js\" hidden></span>");
        if !self.user.is_empty() {
            put!(html, "<span class=\"user\" title=\"" (self.role_name()) "\">" (self.user));
            if !self.may_act() {
                put!(html, " <small>" (texts.role_readonly) "</small>");
            }
            put!(html, "</span>");
        }
        put!(
            html,
            "<a href=\"/prefer?lang=" (texts.other_code) "&amp;next=" [self.here] "\" lang=\"" (texts.other_code)
            "\">" (texts.other_language) "</a>"
        );
        let other = if self.theme == Some("dark") { "light" } else { "dark" };
        put!(
            html,
            "<a id=\"theme\" href=\"/prefer?theme=" (other) "&amp;next=" [self.here] "\" title=\"" (texts.theme)
            "\" aria-label=\"" (texts.theme)
            "\"><svg viewBox=\"0 0 16 16\" width=\"15\" height=\"15\" aria-hidden=\"true\">"
            "<circle cx=\"8\" cy=\"8\" r=\"6.2\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\"/>"
            "<path d=\"M8 2a6 6 0 0 1 0 12z\"/></svg></a>"
        );
        if self.has_session {
            put!(html, "<form method=\"post\" action=\"/logout\">");
            self.token_field(html);
            put!(html, "<button class=\"plain\">" (texts.sign_out) "</button></form>");
        }
        put!(html, "</div></header>");
    }

    fn role_name(&self) -> &'static str {
        if self.may_act() { self.texts.role_operator } else { self.texts.role_readonly }
    }

    /// What makes a form one of ours.
    pub fn token_field(&self, html: &mut Html) {
        put!(html, "<input type=\"hidden\" name=\"token\" value=\"" (self.token) "\">");
    }
}

/// A page with one message: what was not found, not allowed, or asked back.
pub fn message(page: &Page<'_>, title: &str, text: &str) -> String {
    page.whole(title, Place::Elsewhere, None, |html| {
        put!(
            html,
            "<h1>" (title) "</h1><p class=\"lead\">" (text) "</p><p><a href=\"/\">" (page.texts.back_to_overview)
            "</a></p>"
        );
    })
}

/// The page that asks who somebody is. It stands alone: nothing but its style sheet is open to strangers.
pub fn sign_in(texts: &Texts, identifier: &str, next: &str, trouble: Option<&str>) -> String {
    let mut html = Html::new();
    put!(
        html,
        "<!DOCTYPE html>\n<html lang=\"" (texts.code) "\"><head><meta charset=\"utf-8\"><title>" (texts.sign_in)
        " · " (identifier) "</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
        "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"stylesheet\" href=\"/assets/console.css\">"
        "<link rel=\"icon\" href=\"data:,\"></head><body class=\"login\"><main><h1>" (texts.console) "</h1>"
    );
    if let Some(trouble) = trouble {
        put!(html, "<p class=\"notice bad\" role=\"alert\">" (trouble) "</p>");
    }
    put!(
        html,
        "<form method=\"post\" action=\"/login\"><input type=\"hidden\" name=\"next\" value=\"" (next) "\"><label>"
        (texts.user) "<input name=\"username\" autocomplete=\"username\" required autofocus></label><label>"
        (texts.password) "<input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label>"
        "<button class=\"primary\">" (texts.sign_in) "</button></form><p class=\"hint\">" (texts.sign_in_hint)
        "</p><p><a href=\"/basic\">" (texts.basic) "</a></p><p><a href=\"/prefer?lang=" (texts.other_code)
        "&amp;next=" ["/login"] "\" lang=\"" (texts.other_code) "\">" (texts.other_language)
        "</a></p></main></body></html>\n"
    );
    html.finish()
}
