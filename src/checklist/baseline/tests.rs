use super::*;
use crate::checklist::{Scene, staging};

fn text(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

const HEADER: &str = r#"{"format":"svctriage-baseline","schema":1,"tool":{"name":"svctriage","version":"0.1.0"},"settings":{"below":20,"include_rmm":false,"hash":"all"},"hosts":[{"name":"GOLD","os":null,"build":"19045.1","evidence":"C","services":1,"refused":0}],"builds":[19045],"rows":1,"without_key":0,"refused":[{"name":"PSEXESVC","host":"GOLD","reason":"N01"}]}"#;
const ROW: &str = r#"{"name":"Agent","kind":"service","image":"c:\\a.exe","hosts":1}"#;

#[test]
fn a_file_is_read_and_mistakes_are_named_with_their_line() {
    let file = BaselineFile::parse(&text(HEADER, &[ROW])).unwrap();
    assert_eq!(file.rows.len(), 1);
    assert_eq!((file.rows[0].0, file.rows[0].1.name.as_str()), (2, "Agent"));
    assert!(BaselineFile::is_one(HEADER) && !BaselineFile::is_one("{\"schema\":1}"));
    let newer = HEADER.replacen("\"schema\":1", "\"schema\":2,\"x\":1", 1);
    let older = HEADER.replacen("\"schema\":1", "\"schema\":0", 1);
    let unknown = HEADER.replacen("\"rows\":1", "\"rows\":1,\"colour\":2", 1);
    let missing = HEADER.replacen("\"rows\":1,", "", 1);
    let odd = ROW.replacen("\"hosts\":1", "\"hosts\":1,\"trust\":true", 1);
    let hash = ROW.replacen("\"hosts\"", "\"image_file\":{\"sha256\":\"ABC\"},\"hosts\"", 1);
    for (text, expected) in [
        (String::new(), "line 1: this is no baseline; make one with `svctriage baseline create"),
        (text("{\"schema\":1,\"hosts\":[]}", &[]), "line 1: this is no baseline"),
        (text(&newer, &[ROW]), "line 1: a newer svctriage wrote this baseline (schema 2, this one"),
        (text(&older, &[ROW]), "line 1: this baseline has schema 0"),
        (text(&unknown, &[ROW]), "line 1: unknown field `colour`"),
        (text(&missing, &[ROW]), "line 1: missing field `rows`"),
        (text(HEADER, &[&odd]), "line 2: unknown field `trust`"),
        (text(HEADER, &[&hash]), "line 2: a `sha256` that is none"),
        (
            text(HEADER, &["{\"name\":\"\",\"kind\":\"driver\",\"hosts\":1}"]),
            "line 2: a service with",
        ),
        (text(HEADER, &["nonsense"]), "line 2: expected ident"),
        (text(HEADER, &[ROW, ROW]), "line 3: the first line says that 1 lines follow"),
        (text(HEADER, &[]), "line 1: the file ends here"),
    ] {
        let problem = BaselineFile::parse(&text).unwrap_err();
        assert!(problem.starts_with(expected), "{problem} / {expected}");
        assert!(problem.contains("svctriage") && !problem.contains("at line"), "{problem}");
    }
    for cut in 0..text(HEADER, &[ROW]).len() {
        let whole = text(HEADER, &[ROW]);
        let read = whole.get(..cut).map(BaselineFile::parse);
        assert!(read.is_some_and(|read| read.is_err() || cut + 1 == whole.len()), "{cut}");
    }
}

#[test]
fn what_was_refused_is_not_missing() {
    let file = BaselineFile::parse(&text(HEADER, &[ROW])).unwrap();
    let mut baseline = Baseline::new(vec![("gold.jsonl".to_owned(), file)]);
    let lacks = |baseline: &Baseline, name: &str| {
        let scene = staging::on_gold_build(Scene::service(name));
        scene.ask(|scope| baseline.lacks(scope.host, name).map(str::to_owned)).unwrap()
    };
    assert_eq!(lacks(&baseline, "Odd"), None, "few services say nothing of others");
    baseline.files[0].names = WHOLE_HOST;
    assert_eq!(lacks(&baseline, "Odd").as_deref(), Some("gold.jsonl"));
    assert_eq!(lacks(&baseline, "agent"), None);
    assert_eq!(lacks(&baseline, "PsExeSvc"), None);
}
