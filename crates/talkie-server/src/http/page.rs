//! The one page, fit for the way as its modules are (`pack`): its style sheets are one, and a room's
//! page names the modules that a room needs besides, so that they come with the first ones.

/// Every address of the app shows it.
pub(super) const PAGE: &str = "index.html";

/// What rooms get; only there when modules are packed.
pub(super) const ROOM_PAGE: &str = "room.html";

/// Where all style sheets of the page are, in its order.
const SHEETS: &str = "styles/page.css";

const SHEET: [&str; 2] = ["    <link rel=\"stylesheet\" href=\"", "\">"];

/// Asks for what will be needed when modules come one by one.
const AHEAD: &str = "    <script type=\"module\" async src=\"/app/ahead.js\"></script>\n";

const ROOM_MODULES: &str = "    <link rel=\"modulepreload\" href=\"/app/visit.js\">\n";

/// The files that take the page's place, by path; `None` if the page is not as expected.
pub(super) fn packed(
    page: &str,
    read: impl Fn(&str) -> Option<String>,
) -> Option<[(String, String); 3]> {
    let (html, css) = with_one_sheet(page, read)?;
    let (before, after) = html.split_once(AHEAD)?;
    let page = |modules| format!("{before}{modules}{after}");
    Some([
        (PAGE.to_owned(), page("")),
        (ROOM_PAGE.to_owned(), page(ROOM_MODULES)),
        (SHEETS.to_owned(), css),
    ])
}

fn with_one_sheet(page: &str, read: impl Fn(&str) -> Option<String>) -> Option<(String, String)> {
    let [before, after] = SHEET;
    let (mut html, mut css) = (String::with_capacity(page.len()), String::new());
    for line in page.split_inclusive('\n') {
        let sheet = line.trim_end().strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        let Some(path) = sheet else {
            html.push_str(line);
            continue;
        };
        if css.is_empty() {
            html.extend([before, "/", SHEETS, after, "\n"]);
        }
        css.push_str(&read(path)?);
    }
    Some((html, css))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_joined_in_the_order_of_the_page() {
        let page = "<head>\n    <link rel=\"stylesheet\" href=\"/a.css\">\n    \
                    <link rel=\"stylesheet\" href=\"/b.css\">\n    <title>t</title>\n</head>\n";
        let read = |path: &str| (path != "/no.css").then(|| format!("{path}{{}}\n"));
        let (html, css) = with_one_sheet(page, read).expect("all are there");
        let expected = "<head>\n    <link rel=\"stylesheet\" href=\"/styles/page.css\">\n    \
                        <title>t</title>\n</head>\n";
        assert_eq!(html, expected);
        assert_eq!(css, "/a.css{}\n/b.css{}\n");
        assert_eq!(with_one_sheet(&page.replace("b.css", "no.css"), read), None);
    }

    #[test]
    fn the_page_is_as_expected() {
        let page = include_str!("../../web/index.html");
        let [(_, home), (_, room), _] =
            packed(page, |_| Some("a{}".to_owned())).expect("the page can be packed");
        for html in [&home, &room] {
            assert_eq!(html.matches("stylesheet").count(), 1, "all style sheets are joined");
            assert!(html.contains("src=\"/app/main.js\"") && !html.contains("ahead.js"));
        }
        assert!(room.contains("visit.js") && !home.contains("visit.js"));
    }
}
