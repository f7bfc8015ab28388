//! A host whose services name files in every way: what lies on its volume, and what its hive says.
//!
//! The recipe of the image and the tests that read the image tell the same story, so that either can be held against it.

use jiff::Timestamp;
use svctriage::host::program_file::VersionResource;
use svctriage::lab::pe::Program;
use svctriage::lab::regf::{BaseBlock, Data, Hive, KeyId};
use svctriage::lab::{File, security_descriptor};

/// When its services were installed.
const INSTALLED: Timestamp = Timestamp::constant(1_700_000_000, 0);

/// When its programs say that they were linked: a week before.
const LINKED: u32 = 1_699_400_000;

/// One service: its name, and its values.
struct Entry {
    name: &'static str,
    image: Option<&'static str>,
    values: Vec<(&'static str, Data)>,
    dll: Option<&'static str>,
    kind: u32,
}

fn service(name: &'static str, image: &'static str) -> Entry {
    Entry { name, image: Some(image), values: Vec::new(), dll: None, kind: 0x10 }
}

impl Entry {
    fn value(mut self, name: &'static str, data: Data) -> Self {
        self.values.push((name, data));
        self
    }

    fn write(&self, hive: &mut Hive, services: KeyId) {
        let key = hive.create_child(services, self.name, INSTALLED);
        let mut set = |name: &str, data: &Data| hive.set(key, name, data, INSTALLED);
        set("Type", &Data::Dword(self.kind));
        set("Start", &Data::Dword(2));
        set("ErrorControl", &Data::Dword(1));
        set("DisplayName", &Data::Text(format!("Acme {} Service", self.name)));
        set("Description", &Data::Text(format!("Shows how {} files are told.", self.name)));
        if let Some(image) = self.image {
            set("ImagePath", &Data::ExpandText(image.to_owned()));
        }
        for (name, data) in &self.values {
            set(name, data);
        }
        if let Some(dll) = self.dll {
            let parameters = hive.create_child(key, "Parameters", INSTALLED);
            let data = Data::ExpandText(dll.to_owned());
            hive.set(parameters, "ServiceDll", &data, INSTALLED);
        }
    }
}

/// Its services, by what is special about the way to their files.
fn services() -> Vec<Entry> {
    vec![
        service("Compressed", r"%SystemRoot%\System32\packed.exe"),
        service("Deleted", r"C:\ProgramData\gone.exe"),
        Entry { image: None, kind: 1, ..service("acmedrv", "") },
        service("Fallen", r"C:\Users\Public\fallen.exe"),
        Entry {
            dll: Some(r"%SystemRoot%\System32\acme.dll"),
            kind: 0x20,
            ..service("Hosted", r"%SystemRoot%\System32\svchost.exe -k acme")
        },
        service("Intercepted", r"C:\Acme Data\Tool Set\svc.exe /run"),
        service("Elsewhere", r"D:\Tools\x.exe"),
        service("NotIntercepted", r"C:\Contoso Data\svc.exe /run"),
        service("Quoted", r#""C:\Program Files\Acme\agent.exe" --service"#)
            .value("FailureCommand", Data::Text(r"C:\Program Files\Acme\notify.exe".to_owned()))
            .value("FailureActions", Data::Binary(run_command())),
        service("ShortNames", r"C:\PROGRA~1\LONGNA~1\LONGPR~1.EXE"),
        service("Stomped", r"\??\C:\Windows\System32\stomped.exe"),
        service("ThirtyTwoBit", r"%SystemRoot%\System32\narrow.exe")
            .value("WOW64", Data::Dword(0x14c)),
        service("Writable", r#""C:\Acme Open\open.exe""#),
    ]
}

/// Run the command at once.
fn run_command() -> Vec<u8> {
    [86_400_u32, 0, 0, 1, 20, 3, 0].into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The SYSTEM hive.
fn hive() -> Vec<u8> {
    let descriptor = security_descriptor("O:BAG:SYD:(A;CI;KR;;;BU)(A;CI;KA;;;SY)");
    let mut hive = Hive::new("ROOT", &descriptor.unwrap_or_default(), INSTALLED);
    let select = hive.create("Select", INSTALLED);
    for (name, value) in [("Current", 1), ("Default", 1), ("Failed", 0), ("LastKnownGood", 1)] {
        hive.set(select, name, &Data::Dword(value), INSTALLED);
    }
    let name = hive.create(r"ControlSet001\Control\ComputerName\ComputerName", INSTALLED);
    hive.set(name, "ComputerName", &Data::Text("LAB-FILES".to_owned()), INSTALLED);
    let services_key = hive.create(r"ControlSet001\Services", INSTALLED);
    for service in services() {
        service.write(&mut hive, services_key);
    }
    hive.to_bytes(&BaseBlock::clean("SYSTEM", 1))
}

fn acme(name: &str) -> VersionResource {
    VersionResource {
        company: Some("Acme Ltd".to_owned()),
        product: Some("Acme Tools".to_owned()),
        description: Some("Acme Service".to_owned()),
        original_name: Some(name.to_owned()),
        internal_name: None,
        version: Some("1.2.3.4".to_owned()),
    }
}

/// A program of that name.
pub(crate) fn program(name: &str) -> Vec<u8> {
    let program = Program::new(name).version(acme(name)).linked(LINKED);
    match name {
        "fallen.exe" => program.packed().pdb(r"C:\Users\dev\fallen\Release\fallen.pdb").build(),
        _ => program.build(),
    }
}

/// Everything that is put on the volume, by path: hive, programs, and what no Windows runs without.
pub(crate) fn files() -> Vec<File> {
    let paths = [
        "Windows/System32/ntdll.dll",
        "Windows/System32/kernel32.dll",
        "Windows/System32/services.exe",
        "Windows/System32/svchost.exe",
        "Windows/System32/packed.exe",
        "Windows/System32/acme.dll",
        "Windows/System32/stomped.exe",
        "Windows/System32/drivers/acmedrv.sys",
        "Windows/SysWOW64/narrow.exe",
        "ProgramData/gone.exe",
        "Users/Public/fallen.exe",
        "Acme.exe",
        "Acme Data/Tool Set/svc.exe",
        "Contoso Data/svc.exe",
        "Program Files/Acme/agent.exe",
        "Program Files/long folder name/long program name.exe",
        "Acme Open/open.exe",
    ];
    let mut files: Vec<File> = paths
        .into_iter()
        .map(|path| File {
            path: path.to_owned(),
            bytes: program(path.rsplit('/').next().unwrap_or_default()),
        })
        .collect();
    files.push(File { path: "Windows/System32/config/SYSTEM".to_owned(), bytes: hive() });
    files
}
