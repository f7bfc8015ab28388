//! Paths of Windows looked up on the volume, and what it knows about the files they lead to.

use super::*;
use crate::evidence::whereabouts::{Memory, Places, Whereabouts};

/// Looks a path up as if `case` were the Windows folder.
fn look_up(volume: &Volume, text: &str) -> Whereabouts {
    let (windows, memory) = ([path("case")], Memory::default());
    let places = Places { tree: volume, windows: &windows, is_whole: true, memory: &memory };
    places.look_up(text, r"C:\case")
}

#[test]
fn paths_lead_where_windows_would_go() {
    let volume = open(image());
    for (text, expected) in [
        (r"c:\PROGRA~1\longna~1.EXE", Some("Program Files/long name.exe")),
        (r"C:\program files\LONG NAME.exe", Some("Program Files/long name.exe")),
        (r"C:\OVERLAY\lzx\calls.dll", Some("overlay/lzx/calls.dll")),
        (r"C:\case\case.txt", Some("case/case.txt")),
        (r"C:\case\Case.txt", Some("case/Case.txt")),
        (r"C:\many.bin:STREAM049", Some("many.bin:STREAM049")),
        (r"C:\links\second.exe", Some("links/second.exe")),
        (r"C:\many.bin:none", None),
        (r"C:\elsewhere\none.exe", None),
        // The junction leads to C:\Windows, which this volume lacks.
        (r"C:\elsewhere\junction\x.exe", None),
    ] {
        match (look_up(&volume, text), expected) {
            (Whereabouts::Present { path, .. }, Some(expected)) => {
                assert_eq!(path.as_str(), expected, "{text}");
                volume.open(&path).unwrap();
            }
            (Whereabouts::Missing { .. }, None) => {}
            (other, _) => panic!("{text}: {other:?}"),
        }
    }
    let Whereabouts::Missing { host_path, .. } = look_up(&volume, r"C:\elsewhere\junction\x.exe")
    else {
        panic!("the junction leads to a folder that is not there");
    };
    assert_eq!(host_path, r"C:\Windows\x.exe");
}

#[test]
fn files_have_owners_and_neighbors() {
    let volume = open(image());
    let found = volume.security_descriptor(&path("Program Files/long name.exe")).unwrap();
    let folder = volume.security_descriptor(&path("Program Files")).unwrap();
    for descriptor in [found, folder].into_iter().flatten() {
        assert_eq!(descriptor.first(), Some(&1), "a self-relative descriptor");
    }
    let root = volume.security_descriptor(&path("")).unwrap();
    assert!(root.is_some(), "mkntfs gives the root a descriptor");
    let near = volume.neighbors(&path("large/a file with a rather long name 0049.txt"), 16);
    assert!((8..=32).contains(&near.len()), "{}", near.len());
    assert_eq!(volume.neighbors(&path("nothing.txt"), 16), []);
}

#[test]
fn damage_anywhere_gives_an_answer() {
    let image = image();
    for at in (0..image.len()).step_by(image.len() / 60) {
        let mut bytes = image.clone();
        for byte in bytes.iter_mut().skip(at).take(700) {
            *byte ^= 0x5a;
        }
        let Ok(volume) = Volume::open(Arc::new(MemorySource(bytes))) else { continue };
        for text in [r"C:\PROGRA~1\longna~1.EXE", r"C:\overlay\lzx\calls.dll", r"C:\none\x.exe"] {
            look_up(&volume, text);
        }
        for name in ["many.bin", "Program Files"] {
            drop(volume.security_descriptor(&path(name)));
            volume.neighbors(&path(name), 16);
        }
    }
}
