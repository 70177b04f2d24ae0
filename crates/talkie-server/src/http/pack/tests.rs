use super::*;

fn packed(
    entries: &[&str],
    modules: &[(&str, &str)],
) -> Result<HashMap<String, String>, PackError> {
    let modules: HashMap<_, _> = modules.iter().copied().collect();
    pack(entries, |path| modules.get(path).map(|code| (*code).to_owned()))
}

#[test]
fn modules_stand_behind_what_they_need() {
    let files = packed(
        &["/app/main.js"],
        &[
            ("/app/main.js", "import { b } from './x/b.js';\nb();\n"),
            (
                "/app/x/b.js",
                "import { a as one } from '../a.js';\nexport function b() { return one; }\n",
            ),
            ("/app/a.js", "export const a = 1;\n"),
        ],
    )
    .expect("it can be packed");
    assert_eq!(
        files["/app/main.js"],
        "// /app/a.js\nexport const $a = {};\n{\nconst a = 1;\nObject.assign($a, { a: a });\n}\n\
         // /app/x/b.js\nexport const $x$b = {};\n{\nconst { a: one } = $a;\nfunction b() { return one; }\n\
         Object.assign($x$b, { b: b });\n}\n\
         // /app/main.js\nexport const $main = {};\n{\nconst { b } = $x$b;\nb();\nObject.assign($main, {  });\n}\n"
    );
    assert_eq!(
        files["/app/a.js"],
        "import { $a } from '/app/main.js';\nexport const { a } = $a;\n"
    );
}

#[test]
fn what_two_entries_need_comes_with_the_first() {
    let files = packed(
        &["/app/main.js", "/app/one.js", "/app/two.js"],
        &[
            ("/app/main.js", "import './base.js';\n"),
            ("/app/base.js", "export default 1;\n"),
            (
                "/app/one.js",
                "import base from './base.js';\nimport { s } from './shared.js';\n\
                 export const x = base + s;\n",
            ),
            ("/app/two.js", "import * as shared from './shared.js';\nexport const y = shared.s;\n"),
            ("/app/shared.js", "export const s = 2;\n"),
        ],
    )
    .expect("it can be packed");
    assert!(files["/app/main.js"].ends_with("Object.assign($shared, { s: s });\n}\n"));
    assert_eq!(
        files["/app/shared.js"],
        "import { $shared } from '/app/main.js';\nexport const { s } = $shared;\n"
    );
    assert_eq!(
        files["/app/base.js"],
        "import { $base } from '/app/main.js';\nexport default $base.default;\n"
    );
    assert_eq!(
        files["/app/one.js"],
        "import { $base } from '/app/main.js';\nimport { $shared } from '/app/main.js';\n\
         // /app/one.js\nexport const $one = {};\n{\nconst { default: base } = $base;\n\
         const { s } = $shared;\nconst x = base + s;\nObject.assign($one, { x: x });\n}\n\
         export const { x } = $one;\n"
    );
    assert!(files["/app/two.js"].contains("const shared = $shared;\n"));
}

#[test]
fn what_is_loaded_later_is_named_from_the_root() {
    let code =
        "const a = () => import('../b.js');\nconst c = [import('./d.js'), import('./e.js')];\n";
    let files = packed(&["/app/x/a.js"], &[("/app/x/a.js", code)]).expect("it can be packed");
    let file = &files["/app/x/a.js"];
    assert!(file.contains("() => import('/app/b.js');\n"), "{file}");
    assert!(file.contains("[import('/app/x/d.js'), import('/app/x/e.js')];\n"), "{file}");
}

#[test]
fn what_is_not_understood_is_refused() {
    let refused =
        |code| matches!(packed(&["/app/a.js"], &[("/app/a.js", code)]), Err(PackError::Unknown(_)));
    for code in [
        "export let a = 1;",
        "export * from './b.js';",
        "export { a } from './b.js';",
        "export const { a } = b;",
        "import {",
        "import a, { b } from './b.js';",
        "import { a } from \"./b.js\";",
        "import { a } from 'b';",
        "import { a } from '../../../b.js';",
    ] {
        assert!(refused(code), "{code}");
    }
    let cycle = [("/app/a.js", "import './b.js';"), ("/app/b.js", "import './a.js';")];
    assert_eq!(packed(&["/app/a.js"], &cycle), Err(PackError::Cycle("/app/a.js".to_owned())));
    let missing = [("/app/a.js", "import './b.js';")];
    assert_eq!(packed(&["/app/a.js"], &missing), Err(PackError::Missing("/app/b.js".to_owned())));
}

#[test]
fn the_web_app_can_be_packed() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
    let files = pack(&ENTRIES, |path| std::fs::read_to_string(format!("{root}{path}")).ok())
        .expect("every module is in a form that can be packed");
    for entry in ENTRIES {
        assert!(files.contains_key(entry), "{entry}");
    }
    let mut names: Vec<_> = files.keys().map(|path| name_of(path)).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "each module has a name of its own");
    assert!(all > 120, "{all} modules");
}
