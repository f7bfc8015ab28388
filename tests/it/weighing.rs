//! What the checks of names, paths and commands make of whole hosts: Windows as it ships must stay quiet,
//! services that attackers made must not.

use svctriage::checklist::knowledge::stock::{Catalog, Variant};
use svctriage::checklist::{Given, Scene};
use svctriage::host::ImagePath;
use svctriage::host::config::{ServiceType, ValueOrder};
use svctriage::rank::{Ranked, Tuning, rank};

/// The decibans that names (N), paths and commands (P) and products (M) add up to, and which they were.
fn weigh(ranked: &Ranked<'_>) -> (i32, Vec<String>) {
    let mine = ranked.findings.iter().filter(|finding| {
        matches!(finding.indicator.id.as_bytes().first(), Some(b'N' | b'P' | b'M'))
    });
    let mut sum = 0;
    let mut names = Vec::new();
    for finding in mine {
        sum += finding.contribution;
        names.push(format!("{} {}", finding.indicator.id, finding.hit.because));
    }
    (sum, names)
}

/// A stock service's key as one version of Windows has it, in the alphabetical order in which Windows lays
/// keys down. Descriptions were not recorded and so are missing, which makes the test harder than reality.
fn as_shipped(name: &str, variant: &Variant) -> Scene {
    let mut scene = Scene::key(name);
    if !variant.display.is_empty() {
        scene = scene.text("DisplayName", variant.display);
    }
    scene = scene.number("ErrorControl", variant.error_control.unwrap_or(1));
    if let Some(image) = variant.image.as_ref().filter(|image| !image.implied) {
        scene = scene.image(&image.raw);
    }
    if !variant.account.is_empty() {
        scene = scene.text("ObjectName", variant.account);
    }
    scene = scene.number("Start", 3);
    if let Some(kind) = variant.kind {
        scene = scene.number("Type", kind.0);
    }
    scene = scene.order(ValueOrder::Alphabetical);
    match &variant.dll {
        Some(dll) => scene.text("Parameters\\ServiceDll", &dll.raw),
        None => scene,
    }
}

/// Every service of one version of Windows on one host.
fn host_of(build: u32, product: Option<&str>) -> Scene {
    let mut scene = Scene::service("Contoso");
    for stock in Catalog::shipped().services() {
        // Of some builds only names and files were listed: the rest is as in others.
        let all = || stock.variants();
        let Some(variant) = all().find(|it| it.builds.contains(&build)) else { continue };
        let mut variant = variant.clone();
        let program = if stock.is_driver() { 1 } else { 0x20 };
        variant.kind = variant.kind.or_else(|| all().find_map(|it| it.kind));
        variant.kind = variant.kind.or(Some(ServiceType(program)));
        variant.image = variant.image.or_else(|| stock.images().last().cloned());
        variant.dll = variant.dll.or_else(|| stock.dlls().last().cloned());
        if let Some(known) = all().filter(|it| it.kind.is_some()).last() {
            variant.account = known.account;
        }
        scene = scene.beside(as_shipped(stock.name, &variant));
    }
    match product {
        Some(product) => scene.windows(product, &format!("{build}.1")),
        None => scene,
    }
}

#[test]
fn windows_as_it_ships_is_quiet() {
    for (build, product, services) in [
        (1381, "Windows NT 4.0 Server", 120),
        (3790, "Windows Server 2003", 240),
        (7601, "Windows 7 Professional", 390),
        (9600, "Windows 8.1 Pro", 410),
        (16299, "Windows 10 Pro", 560),
        (18362, "Windows 10 Pro", 620),
        (19044, "Windows 10 Pro", 590),
        (26100, "Windows 11 Pro", 620),
        (26100, "Windows Server 2025 Standard", 620),
    ] {
        for product in [Some(product), None] {
            let loud = host_of(build, product).ask(|scope| {
                assert!(scope.host.services.len() > services, "{build}: too few services");
                rank(scope.host, &Given::default(), &Tuning::default())
                    .iter()
                    .map(|ranked| (ranked.service.name.clone(), weigh(ranked)))
                    .filter(|(_, (sum, _))| *sum >= 10)
                    .collect::<Vec<_>>()
            });
            assert_eq!(loud, Some(Vec::new()), "{build} {product:?}");
        }
    }
}

#[test]
fn windows_of_an_unknown_build_is_quiet() {
    // As if none of it were known: the names end in a digit that no list holds.
    let mut scene = Scene::service("Contoso").windows("Windows 11 Pro", "22631.1");
    let mut count = 0;
    for stock in Catalog::shipped().services().filter(|stock| stock.measured && stock.is_hosted()) {
        let variant = stock.variants().filter(|it| it.kind.is_some()).last().unwrap();
        if let Some(dll) = variant.dll.as_ref().filter(|dll| dll.folder() == r"c:\windows\system32")
        {
            let leaf = dll.leaf().replace(".dll", "9.dll");
            let mut variant = variant.clone();
            variant.dll = Some(ImagePath::parse(&format!(r"%SystemRoot%\System32\{leaf}")));
            variant.display = "";
            scene = scene.beside(as_shipped(&format!("{}X9", stock.name), &variant));
            count += 1;
        }
    }
    assert!(count > 200);
    let loud = scene.ask(|scope| {
        rank(scope.host, &Given::default(), &Tuning::default())
            .iter()
            .map(|ranked| (ranked.service.name.clone(), weigh(ranked)))
            .filter(|(_, (sum, _))| *sum >= 10)
            .collect::<Vec<_>>()
    });
    assert_eq!(loud, Some(Vec::new()));
}

/// A service as an attack left it: observed in logs, or written down by the tests of Atomic Red Team.
struct Attack {
    id: &'static str,
    name: &'static str,
    display: &'static str,
    image: &'static str,
    account: &'static str,
    description: &'static str,
    dll: &'static str,
    wrapped: &'static str,
    /// `Type`, `Start`, `ErrorControl`.
    numbers: [u32; 3],
}

impl Attack {
    fn scene(&self) -> Scene {
        let [kind, start, error_control] = self.numbers;
        let mut scene = Scene::key(self.name)
            .windows("Windows 10 Pro", "18363.1")
            .number("Type", kind)
            .number("Start", start)
            .number("ErrorControl", error_control)
            .image(self.image);
        for (name, text) in [
            ("DisplayName", self.display),
            ("ObjectName", self.account),
            ("Description", self.description),
            ("Parameters\\ServiceDll", self.dll),
            ("Parameters\\Application", self.wrapped),
        ] {
            if !text.is_empty() {
                scene = scene.text(name, text);
            }
        }
        scene
    }
}

/// Attacks that names, paths and commands cannot show, and what does.
const ELSEWHERE: [(&str, &str); 3] = [
    ("M18", "W32Time is unchanged but for its failure command: F01"),
    ("M38", "Defender is unchanged but disabled: D01"),
    ("M59", "Defender for Endpoint is unchanged but disabled: D01"),
];

#[test]
fn services_of_attacks_are_seen() {
    let mut missed = Vec::new();
    for attack in ATTACKS {
        let (sum, names) = attack
            .scene()
            .ask(|scope| {
                let ranked = rank(scope.host, &Given::default(), &Tuning::default());
                weigh(ranked.iter().find(|one| one.service.name == attack.name).unwrap())
            })
            .unwrap();
        let elsewhere = ELSEWHERE.iter().any(|(id, _)| *id == attack.id);
        if (sum < 20) != elsewhere {
            missed.push(format!("{} {} {sum}: {names:?}", attack.id, attack.name));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Names and values: EVTX-to-MITRE-Attack (CC0), Atomic Red Team (MIT), ATT&CK procedure examples; facts.
const ATTACKS: &[Attack] = &[
    Attack {
        id: "M10",
        name: "BTOBTO",
        display: "BTOBTO",
        image: r"%COMSPEC% /Q /c echo cd  ^> \\127.0.0.1\C$\__output 2^>^&1 > %TEMP%\execute.bat & %COMSPEC% /Q /c %TEMP%\execute.bat & del %TEMP%\execute.bat",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 0],
    },
    Attack {
        id: "M11",
        name: "PSEXESVC",
        display: "PSEXESVC",
        image: r"%SystemRoot%\PSEXESVC.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 0],
    },
    Attack {
        id: "M12",
        name: "mimidrv",
        display: "mimikatz driver (mimidrv)",
        image: r"\??\C:\TOOLS\Security_tool\Mimikatz-fev-2020\mimidrv.sys",
        account: "",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x1, 2, 1],
    },
    Attack {
        id: "M13",
        name: "WCESERVICE",
        display: "WCESERVICE",
        image: r"D:\Service\test.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M14",
        name: "hijackservice",
        display: "hijackservice",
        image: "cmd.exe /k tscon 2 /dest:rdp-tcp#5",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M15",
        name: "bad-task",
        display: "bad-task",
        image: "virusé.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M16",
        name: "iOWamcEn",
        display: "KgXItsbKgTJzdzwl",
        image: r#"%COMSPEC% /b /c start /b /min powershell.exe -nop -w hidden -noni -c "if([IntPtr]::Size -eq 4){$b='powershell.exe'}""#,
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M17",
        name: "seg1",
        display: "IyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIw0KIyBUaGlzIFBvd2Vyc2",
        image: r#"c:\windows\system32\cmd.exe /c powershell -command "Get-Service "seg1" | select -Expand DisplayName |out-file -append tmp_payload.txt""#,
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M18",
        name: "W32Time",
        display: r"@%SystemRoot%\system32\w32time.dll,-200",
        image: r"%SystemRoot%\system32\svchost.exe -k LocalService",
        account: r"NT AUTHORITY\LocalService",
        description: r"@%SystemRoot%\system32\w32time.dll,-201",
        dll: "",
        wrapped: "",
        numbers: [0x20, 3, 1],
    },
    Attack {
        id: "M19",
        name: "xboxgip",
        display: "Xbox Game Input Protocol Driver",
        image: r"C:\tmp\pentestlab.exe",
        account: "",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x1, 3, 1],
    },
    Attack {
        id: "M20",
        name: "hackervirus",
        display: "hackervirus",
        image: r#""virus.exe""#,
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M21",
        name: "hacker23",
        display: "hacker23",
        image: r"c:\",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M29",
        name: "AtomicTestService_CMD",
        display: "AtomicTestService_CMD",
        image: r"C:\AtomicRedTeam\atomics\T1543.003\bin\AtomicService.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M30",
        name: "W64Time",
        display: "Windows 64 Time",
        image: r"c:\Windows\System32\svchost.exe -k TimeService",
        account: "LocalSystem",
        description: "Maintain date and time synch on all clients and services in the network",
        dll: r"%systemroot%\system32\w64time.dll",
        wrapped: "",
        numbers: [0x20, 2, 1],
    },
    Attack {
        id: "M31",
        name: "ARTService",
        display: "ARTService",
        image: r"C:\Windows\system32\cmd.exe /c powershell.exe -nop -w hidden -command New-Item -ItemType File C:\art-marker.txt",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M32",
        name: "WerFaultSvc",
        display: "WerFault Service",
        image: r"$env:windir\WinSxS\x86_microsoft-windows-errorreportingfaults_31bf3856ad364e35_4.0.9600.16384_none_a13f7e283339a050\WerFault.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M33",
        name: "Example Service",
        display: "Example Service",
        image: r"C:\Program Files\windows_service.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M34",
        name: "calcservice",
        display: "calcservice",
        image: r"C:\Windows\system32\cmd.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M35",
        name: "AtomicService",
        display: "AtomicService",
        image: r"C:\Windows\System32\calc.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M36",
        name: "win32times",
        display: "win32times",
        image: r"cmd /c start c:\T1036.004_NonExistingScript.ps1",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M37",
        name: "sesshijack",
        display: "sesshijack",
        image: "cmd.exe /k tscon 1337 /dest:rdp-tcp#55",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 3, 1],
    },
    Attack {
        id: "M38",
        name: "WinDefend",
        display: r"@%ProgramFiles%\Windows Defender\MpAsDesc.dll,-310",
        image: r#""C:\ProgramData\Microsoft\Windows Defender\platform\4.18.1904.1-0\MsMpEng.exe""#,
        account: "LocalSystem",
        description: r"@%ProgramFiles%\Windows Defender\MpAsDesc.dll,-240",
        dll: "",
        wrapped: "",
        numbers: [0x10, 4, 1],
    },
    Attack {
        id: "M39",
        name: "TermService",
        display: r"@%SystemRoot%\System32\termsrv.dll,-268",
        image: r"%SystemRoot%\System32\svchost.exe -k NetworkService",
        account: r"NT Authority\NetworkService",
        description: r"@%SystemRoot%\System32\termsrv.dll,-267",
        dll: r"C:\Users\victim\AtomicTest.dll",
        wrapped: "",
        numbers: [0x20, 3, 1],
    },
    Attack {
        id: "M54",
        name: "Nwsapagent",
        display: "Nwsapagent",
        image: r"%SystemRoot%\System32\svchost.exe -k netsvcs",
        account: "LocalSystem",
        description: "",
        dll: r"C:\Windows\system32\Nwsapagent.dll",
        wrapped: "",
        numbers: [0x20, 2, 1],
    },
    Attack {
        id: "M55",
        name: "WinSvcUpdate",
        display: "Windows Service Update",
        image: r"C:\ProgramData\svchost.exe",
        account: "LocalSystem",
        description: "Provides support for Windows updates.",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M56",
        name: "WindowsHostSvc",
        display: "Windows Host Service",
        image: r"C:\Windows\svchost.exe -k netsvcs",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M57",
        name: "sysmgmt",
        display: "System Management",
        image: r"C:\Tools\nssm.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: r"C:\Users\Public\chisel.exe",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M58",
        name: "AdsSvc",
        display: "AdsSvc",
        image: r"C:\Windows\Temp\log.txt:payload.exe",
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
    Attack {
        id: "M59",
        name: "Sense",
        display: r"@%ProgramFiles%\Windows Defender Advanced Threat Protection\MsSense.exe,-1001",
        image: r#""%ProgramFiles%\Windows Defender Advanced Threat Protection\MsSense.exe""#,
        account: "LocalSystem",
        description: r"@%ProgramFiles%\Windows Defender Advanced Threat Protection\MsSense.exe,-1002",
        dll: "",
        wrapped: "",
        numbers: [0x10, 4, 1],
    },
    Attack {
        id: "M60",
        name: "AnyDesk",
        display: "AnyDesk Service",
        image: r#""C:\ProgramData\AnyDesk\AnyDesk.exe" --service"#,
        account: "LocalSystem",
        description: "",
        dll: "",
        wrapped: "",
        numbers: [0x10, 2, 1],
    },
];
