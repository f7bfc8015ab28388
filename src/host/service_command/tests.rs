//! Commands as tools give them: the syntax of each is that of its documentation or source, named beside it.

use super::*;

/// `create evil@HOST ImagePath=<C:\x.exe> Start=<auto>`.
fn told(commands: &[ServiceCommand]) -> Vec<String> {
    let one = |command: &ServiceCommand| {
        let host = command.remote.as_deref().map(|host| format!("@{host}")).unwrap_or_default();
        let changes = command.changes.iter().map(|one| format!(" {}=<{}>", one.value, one.data));
        let verb = format!("{:?}", command.verb).to_lowercase();
        format!("{verb} {}{host}{}", command.service, changes.collect::<String>())
    };
    commands.iter().map(one).collect()
}

fn check_lines(table: &[(&str, &[&str])]) {
    let read = |line: &str| told(&in_command_line(line));
    assert_eq!(wrong(table, &read), [""; 0]);
}

fn check_scripts(table: &[(&str, &[&str])]) {
    let read = |script: &str| told(&in_script(script));
    assert_eq!(wrong(table, &read), [""; 0]);
}

/// The rows that read otherwise than expected, all of them.
fn wrong(table: &[(&str, &[&str])], read: &dyn Fn(&str) -> Vec<String>) -> Vec<String> {
    let differs = |(text, expected): &&(&str, &[&str])| read(text) != *expected;
    let shown = |(text, expected): &(&str, &[&str])| {
        format!("{text}\n  expected {expected:?}\n  read     {:?}", read(text))
    };
    table.iter().filter(differs).map(shown).collect()
}

/// Microsoft Learn, "sc.exe create", "sc.exe config", "sc failure" and the help text of sc.exe.
#[test]
fn sc() {
    check_lines(&[
        (
            r#"sc  create hijackservice binpath= "cmd.exe /k tscon 2 /dest:rdp-tcp#5""#,
            &[r"create hijackservice ImagePath=<cmd.exe /k tscon 2 /dest:rdp-tcp#5>"],
        ),
        (
            r#"sc.exe create a type= own start= auto error= ignore binPath= "C:\a b\x.exe -k" obj= .\u password= S3c depend= Tcpip/Afd DisplayName= "A B""#,
            &[
                r"create a Type=<own> Start=<auto> ErrorControl=<ignore> ImagePath=<C:\a b\x.exe -k> ObjectName=<.\u> Password=<(given)> DependOnService=<Tcpip/Afd> DisplayName=<A B>",
            ],
        ),
        ("sc config sense start= disabled", &["configure sense Start=<disabled>"]),
        ("sc.exe config sense start=disabled", &["configure sense Start=<disabled>"]),
        ("SC CONFIG sense START =disabled", &["configure sense Start=<disabled>"]),
        ("sc config x start = disabled", &["configure x Start=<disabled>"]),
        (r#"sc \\fs02\ create t binPath="v.exe""#, &["create t@fs02 ImagePath=<v.exe>"]),
        (r"sc \\localhost create t binpath= v.exe", &["create t ImagePath=<v.exe>"]),
        (r"sc \\. stop t", &["stop t"]),
        (r"sc \\127.0.0.1 delete t", &["delete t"]),
        (
            r#"sc failure W32Time reset= 86400 reboot= "bye" command= "\"c:\a b\p.exe\"" actions= run/1000/restart/60000"#,
            &[
                r#"configure W32Time ResetPeriod=<86400> RebootMessage=<bye> FailureCommand=<"c:\a b\p.exe"> FailureActions=<run/1000/restart/60000>"#,
            ],
        ),
        ("sc failureflag x 1", &["configure x FailureActionsOnNonCrashFailures=<1>"]),
        (r#"sc sdset x "D:(A;;CCLC;;;SY)"#, &["configure x Security=<D:(A;;CCLC;;;SY)>"]),
        (
            "sc sdset scmanager D:(A;;KA;;;WD)",
            &["configure Service Control Manager Security=<D:(A;;KA;;;WD)>"],
        ),
        ("sc description x Keeps it running", &["configure x Description=<Keeps it running>"]),
        ("sc triggerinfo x start/networkon", &["configure x TriggerInfo=<start/networkon>"]),
        (
            "sc privs x SeDebugPrivilege/SeTcbPrivilege",
            &["configure x RequiredPrivileges=<SeDebugPrivilege/SeTcbPrivilege>"],
        ),
        ("sc sidtype x unrestricted", &["configure x ServiceSidType=<unrestricted>"]),
        ("sc managedaccount x true", &["configure x ServiceAccountManaged=<true>"]),
        ("sc preferrednode x 1", &["configure x PreferredNode=<1>"]),
        ("sc control x 128", &["control x Control=<128>"]),
        ("sc start x a b", &["start x Arguments=<a b>"]),
        ("sc pause x", &["stop x"]),
        ("sc delete x", &["delete x"]),
        (
            r#"sc create x binPath= \"C:\a b\x.exe\" start= auto"#,
            &[r#"create x ImagePath=<"C:\a b\x.exe"> Start=<auto>"#],
        ),
        // T1543.003 of Atomic Red Team, and SCShell's and SharPersist's own words.
        (
            r#"sc.exe config Fax binPath= "C:\windows\system32\cmd.exe /c powershell.exe -c 'Write-Host 1'""#,
            &[
                r"configure Fax ImagePath=<C:\windows\system32\cmd.exe /c powershell.exe -c 'Write-Host 1'>",
            ],
        ),
    ]);
}

/// Microsoft Learn: "net start", "reg add", "reg copy", "fltmc", "bcdedit /set"; PsService's help text.
#[test]
fn other_tools_of_windows() {
    check_lines(&[
        ("net stop windefend", &["stop windefend"]),
        ("net1  stop \"Security Center\" /y", &["stop Security Center"]),
        ("net start Print Spooler", &["start Print Spooler"]),
        (r"C:\Windows\system32\net1 start MSSQL$RADAR /m", &["start MSSQL$RADAR"]),
        (
            r#"REG  ADD HKLM\SYSTEM\CurrentControlSet\Services\W32Time /v FailureCommand /t REG_SZ /d "C:\tmp\p.exe""#,
            &[r"configure W32Time FailureCommand=<C:\tmp\p.exe>"],
        ),
        (
            r#"reg add "HKLM\SYSTEM\ControlSet001\Services\W64Time\Parameters" /v ServiceDll /d x.dll /f"#,
            &[r"configure W64Time Parameters\ServiceDll=<x.dll>"],
        ),
        (
            r"reg add \\SRV1\HKLM\SYSTEM\CurrentControlSet\Services\x /v Start /d 4 /f",
            &["configure x@SRV1 Start=<4>"],
        ),
        (
            r"reg delete HKLM\SYSTEM\CurrentControlSet\Services\x /v Start /f",
            &["configure x Start=<>"],
        ),
        (r"reg delete HKLM\SYSTEM\CurrentControlSet\Services\x /f", &["delete x"]),
        (
            r"reg copy HKLM\SYSTEM\CurrentControlSet\Services\a HKLM\SYSTEM\CurrentControlSet\Services\b /s /f",
            &["create b"],
        ),
        (
            r"reg restore HKLM\SYSTEM\CurrentControlSet\Services\a\Security s.hiv",
            &["configure a Security=<s.hiv>"],
        ),
        (
            r"REG ADD HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Network\AtomicSafeMode /VE /T REG_SZ /F /D Service",
            &[r"configure AtomicSafeMode SafeBoot\Network=<Service>"],
        ),
        ("fltmc.exe unload SysmonDrv", &["stop SysmonDrv"]),
        ("fltmc load x", &["start x"]),
        (
            "bcdedit /set safeboot network",
            &["configure Service Control Manager SafeBoot=<network>"],
        ),
        (
            "bcdedit /set {current} safeboot minimal",
            &["configure Service Control Manager SafeBoot=<minimal>"],
        ),
        (
            "bcdedit /deletevalue {default} safeboot",
            &["configure Service Control Manager SafeBoot=<>"],
        ),
        (r"psservice \\SRV1 -u a -p b stop Spooler", &["stop Spooler@SRV1"]),
        (
            "psservice64 -accepteula setconfig Spooler disabled",
            &["configure Spooler Start=<disabled>"],
        ),
        (
            r"InstallUtil.exe /LogFile= /LogToConsole=false C:\t\svc.exe",
            &[r"create  ImagePath=<C:\t\svc.exe>"],
        ),
        (r"installutil /u C:\t\svc.exe", &[r"delete  ImagePath=<C:\t\svc.exe>"]),
        // nssm.cc/usage; Resource Kit: instsrv.
        (
            r#"nssm.exe install Upd "C:\ProgramData\a b.exe" -x 1"#,
            &[
                r"create Upd Parameters\Application=<C:\ProgramData\a b.exe> Parameters\AppParameters=<-x 1>",
            ],
        ),
        (r"nssm set Upd AppDirectory C:\t", &[r"configure Upd Parameters\AppDirectory=<C:\t>"]),
        (r"nssm set Upd ObjectName .\u S3cret", &[r"configure Upd ObjectName=<.\u (given)>"]),
        ("nssm remove Upd confirm", &["delete Upd"]),
        (
            r"instsrv Upd C:\rk\srvany.exe -a .\u -p x",
            &[r"create Upd ImagePath=<C:\rk\srvany.exe> ObjectName=<.\u> Password=<(given)>"],
        ),
        ("instsrv Upd REMOVE", &["delete Upd"]),
    ]);
}

/// Microsoft Learn: "wmic", "`Win32_Service` class".
#[test]
fn wmic() {
    check_lines(&[
        (
            r#"wmic service call create Name="evil", PathName="C:\a b\x.exe -k", StartMode="Automatic", StartPassword=x"#,
            &[r"create evil ImagePath=<C:\a b\x.exe -k> Start=<Automatic> Password=<(given)>"],
        ),
        (
            r#"wmic /node:"SRV1" /user:a /password:b service where name="x" call startservice"#,
            &["start x@SRV1"],
        ),
        ("wmic /node:A,B service x call stopservice", &["stop x@A", "stop x@B"]),
        (
            r#"wmic service where "name='x'" call change startmode="disabled""#,
            &["configure x Start=<disabled>"],
        ),
        (r#"wmic service where (caption like "%Sophos%") call stopservice"#, &["stop %Sophos%"]),
        (
            r"wmic service where name='x' call changestartmode Disabled",
            &["configure x Start=<Disabled>"],
        ),
        (r#"wmic service where name="x" delete"#, &["delete x"]),
        (r#"wmic service "x" call delete"#, &["delete x"]),
        (r#"wmic /node:SRV1 process call create "cmd /c sc stop x""#, &["stop x@SRV1"]),
    ]);
}

/// impacket smbexec, psexec, services, wmiexec and atexec; Metasploit psexec; Cobalt Strike jump and getsystem: the
/// lines that they have the target run. They call RPC and name no service, unless their operator's command does.
#[test]
fn remote_execution_tools() {
    check_lines(&[
        (
            r"%COMSPEC% /Q /c echo sc stop x ^> \\127.0.0.1\C$\__output 2^>^&1 > %TEMP%\execute.bat & %COMSPEC% /Q /c %TEMP%\execute.bat & del %TEMP%\execute.bat",
            &["stop x"],
        ),
        (
            r"cmd.exe /Q /c sc create e binPath= C:\x.exe 1> \\127.0.0.1\ADMIN$\__1638652 2>&1",
            &[r"create e ImagePath=<C:\x.exe>"],
        ),
        (r"cmd.exe /C net stop x > C:\Windows\Temp\abc.tmp 2>&1", &["stop x"]),
        (r"C:\Windows\system32\cmd.exe /c echo abc > \\.\pipe\abc", &[]),
        (
            "%COMSPEC% /b /c start /b /min powershell -nop -w hidden -encodedcommand cwBjACAAcwB0AG8AcAAgAHgA",
            &["stop x"],
        ),
        (r"PsExec64.exe  -i -s cmd", &["create PSEXESVC"]),
        (r"psexec.exe -accepteula", &[]),
        (r"psexec -accepteula \\SRV1 -u a\b -p c -s -c -f x.exe", &["create PSEXESVC@SRV1"]),
        (
            r"PsExec.exe \\SRV1,SRV2 -r upd -d cmd /c sc stop x",
            &["create upd@SRV1", "create upd@SRV2", "stop x@SRV1", "stop x@SRV2"],
        ),
        (r"psexec.exe \\127.0.0.1 -s cmd", &["create PSEXESVC"]),
        (r"psexec @hosts.txt -s cmd", &["create PSEXESVC@@hosts.txt"]),
        (r"PAExec.exe \\SRV1 -s cmd.exe", &["create PAExec@SRV1"]),
        (r"csexec.exe \\SRV1 cmd", &["create csexecsvc@SRV1"]),
        (r"RemCom.exe \\SRV1 cmd.exe", &["create RemComSvc@SRV1"]),
        (r"winrs -r:SRV1 sc create e binPath= C:\x.exe", &[r"create e@SRV1 ImagePath=<C:\x.exe>"]),
    ]);
}

/// The usage texts of SharPersist, SharpSC, SCShell, impacket's examples and NetExec.
#[test]
fn clients_of_attackers() {
    check_lines(&[
        (
            r#"SharPersist.exe -t service -c "C:\Windows\System32\cmd.exe" -a "/c calc.exe" -n "Some Service" -m add"#,
            &[r"create Some Service ImagePath=<C:\Windows\System32\cmd.exe /c calc.exe>"],
        ),
        (r#"SharPersist -t service -n "Some Service" -m remove"#, &["delete Some Service"]),
        ("SharPersist -t reg -n x -m add", &[]),
        (
            r"SharpSC.exe action=create computername=SRV1 service=e displayname=E binpath=C:\x.exe",
            &[r"create e@SRV1 ImagePath=<C:\x.exe> DisplayName=<E>"],
        ),
        ("SharpSC.exe action=query computername=SRV1", &[]),
        (
            r#"SCShell.exe 192.168.197.131 XblAuthManager "C:\windows\system32\cmd.exe /c calc" . administrator Password"#,
            &[
                r"configure XblAuthManager@192.168.197.131 ImagePath=<C:\windows\system32\cmd.exe /c calc>",
            ],
        ),
        ("python psexec.py corp/eve:P@ss@10.0.0.2 cmd", &["create @10.0.0.2"]),
        ("smbexec.py -service-name upd corp/eve@SRV1", &["create upd@SRV1"]),
        (
            r"services.py corp/eve:pw@SRV1 create -name e -display E -path C:\x.exe",
            &[r"create e@SRV1 ImagePath=<C:\x.exe> DisplayName=<E>"],
        ),
        ("services.py corp/eve:pw@SRV1 list", &[]),
        ("nxc smb 10.0.0.2 -u a -p b --exec-method smbexec -x whoami", &["create @10.0.0.2"]),
        ("nxc smb 10.0.0.2 -u a -p b -x whoami", &[]),
    ]);
}

/// Commands within commands.
#[test]
fn wrappers() {
    check_lines(&[
        (r#"cmd /c "s^c create a binPath= C:\x.exe""#, &[r"create a ImagePath=<C:\x.exe>"]),
        (
            "cmd.exe /c sc stop a & sc config a start= disabled&net stop b",
            &["stop a", "configure a Start=<disabled>", "stop b"],
        ),
        (r#"start "" /b sc stop a"#, &["stop a"]),
        (r#"forfiles /p c:\windows /m x /c "cmd /c sc stop a""#, &["stop a"]),
        ("forfiles /c \"cmd /c 0x22sc0x22 stop a\"", &["stop a"]),
        (r#"schtasks /create /tn t /tr "cmd /c sc start a" /sc onlogon"#, &["start a"]),
        ("for %h in (a b) do sc stop x", &["stop x"]),
        ("if exist x sc stop y", &["stop y"]),
        (
            r#"powershell -c "New-Service -Name evil -BinaryPathName 'C:\a b\x.exe'""#,
            &[r"create evil ImagePath=<C:\a b\x.exe>"],
        ),
        (r#"runas /user:a "sc stop x""#, &["stop x"]),
    ]);
}

/// Disguises of the command interpreter, as collected in "DOSfuscation" (Bohannon, 2018).
#[test]
fn disguises_of_the_command_interpreter() {
    for (line, expected, decoded) in [
        ("cmd /c s^c st^op x", "stop x", Some("sc stop x")),
        (r#""s"c stop x"#, "stop x", None),
        ("cmd /c ,;sc,stop,x", "stop x", Some("sc stop x")),
        ("cmd /c set a=sc&&call %a% stop x", "stop x", Some("call sc stop x")),
        ("cmd /v:on /c \"set a=s&&set b=c&&!a!!b! stop x\"", "stop x", Some("sc stop x")),
        ("cmd /c s%COMSPEC:~-7,1% stop x", "stop x", Some("sc stop x")),
        ("cmd /c sc%PROGRAMFILES:~10,-5%stop x", "stop x", Some("sc stop x")),
        ("powershell -e cwBjACAAcwB0AG8AcAAgAHgA", "stop x", Some("sc stop x")),
        ("powershell /Enc cwBjACAAcwB0AG8AcAAgAHgA", "stop x", Some("sc stop x")),
    ] {
        let found = in_command_line(line);
        assert_eq!(told(&found), [expected], "{line}");
        assert_eq!(found[0].decoded.as_deref(), decoded, "{line}");
    }
}

/// Microsoft Learn: the cmdlets of Microsoft.PowerShell.Management; Atomic Red Team T1543.003; SharpSC and PowerUp
/// document the same acts.
#[test]
fn cmdlets() {
    check_scripts(&[
        (
            "New-Service -Name \"TestService\" -BinaryPathName 'C:\\x.exe -k netsvcs' -DependsOn NetLogon -DisplayName \"Test\" -StartupType Manual -Description \"a test\"",
            &[
                r"create TestService ImagePath=<C:\x.exe -k netsvcs> Start=<Manual> DisplayName=<Test> Description=<a test> DependOnService=<NetLogon>",
            ],
        ),
        (r"New-Service evil C:\x.exe", &[r"create evil ImagePath=<C:\x.exe>"]),
        (
            "New-Service -ComputerName SRV1 -Na evil -B x.exe",
            &["create evil@SRV1 ImagePath=<x.exe>"],
        ),
        (
            "$params = @{\n  Name = \"TestService\"\n  BinaryPathName = 'C:\\x.exe'\n  StartupType = \"Manual\"\n}\nNew-Service @params",
            &[r"create TestService ImagePath=<C:\x.exe> Start=<Manual>"],
        ),
        (
            "Set-Service -Name WinDefend -StartupType Disabled",
            &["configure WinDefend Start=<Disabled>"],
        ),
        ("Set-Service WinDefend -Status Stopped", &["stop WinDefend"]),
        (
            "Get-Service WinDefend | Set-Service -StartupType Disabled",
            &["configure WinDefend Start=<Disabled>"],
        ),
        ("Get-Service -Name a, b | Stop-Service -Force", &["stop a", "stop b"]),
        (
            "Stop-Service -Force a; Start-Service b\nRestart-Service c | Out-Null; Remove-Service d",
            &["stop a", "start b", "start c", "delete d"],
        ),
        ("Stop-Service $name; Get-Service | Stop-Service; Stop-Service *", &[]),
        (
            r#"Set-ItemProperty -Path "HKLM:\System\CurrentControlSet\services\xboxgip" -Name "FailureCommand" -Value "C:\nc.exe -e powershell.exe""#,
            &[r"configure xboxgip FailureCommand=<C:\nc.exe -e powershell.exe>"],
        ),
        (
            r"sp -Pa Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\x\Parameters -N ServiceDll -V C:\x.dll",
            &[r"configure x Parameters\ServiceDll=<C:\x.dll>"],
        ),
        (
            r"Set-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\x Start 4",
            &["configure x Start=<4>"],
        ),
        (
            r"New-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\x -Name ImagePath -PropertyType ExpandString -Value y -Force",
            &["configure x ImagePath=<y>"],
        ),
        (r"Remove-Item -Path HKLM:\SYSTEM\CurrentControlSet\Services\x -Recurse", &["delete x"]),
        (r"New-Item HKLM:\SYSTEM\CurrentControlSet\Services\x", &["create x"]),
        (
            r"Remove-ItemProperty -Path HKLM:\SYSTEM\CurrentControlSet\Services\x -Name Start",
            &["configure x Start=<>"],
        ),
        (
            r"[Microsoft.Win32.Registry]::SetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\x', 'ImagePath', 'y')",
            &["configure x ImagePath=<y>"],
        ),
        (
            "Invoke-Command -ComputerName SRV1 -ScriptBlock { New-Service -Name e -BinaryPathName x.exe }",
            &["create e@SRV1 ImagePath=<x.exe>"],
        ),
        ("icm { sc.exe stop x } -cn SRV1,SRV2", &["stop x@SRV1", "stop x@SRV2"]),
        (
            r#"sc.exe create e binPath= "C:\a b\x.exe" start= auto"#,
            &[r"create e ImagePath=<C:\a b\x.exe> Start=<auto>"],
        ),
        (r#"cmd /c 'sc stop x'; & "C:\Windows\System32\sc.exe" delete x"#, &["stop x", "delete x"]),
        ("Start-Process sc.exe -ArgumentList 'stop','x' -Verb RunAs", &["stop x"]),
        ("# sc stop x\n<# sc stop y #>\nWrite-Host 'sc stop z'", &[]),
        (
            "if ($a) { Stop-Service x } else { try { Start-Service y } catch {} }",
            &["stop x", "start y"],
        ),
    ]);
}

/// Microsoft Learn: "Invoke-WmiMethod", "Invoke-CimMethod", "Create method of the `Win32_Service` class".
#[test]
fn wmi_from_powershell() {
    check_scripts(&[
        (
            r#"([wmiclass]"\\SRV1\root\cimv2:Win32_Service").Create("e","E","C:\x.exe",16,0,"Automatic",$false,$null,$null)"#,
            &[
                r"create e@SRV1 DisplayName=<E> ImagePath=<C:\x.exe> Type=<16> ErrorControl=<0> Start=<Automatic>",
            ],
        ),
        (
            r#"Invoke-WmiMethod -Class Win32_Service -Name Create -ArgumentList $false,"E",1,$null,$null,"e","C:\x.exe",$null,16,"Manual","LocalSystem","" -ComputerName SRV1"#,
            &[
                r"create e@SRV1 DisplayName=<E> ErrorControl=<1> ImagePath=<C:\x.exe> Type=<16> Start=<Manual> ObjectName=<LocalSystem>",
            ],
        ),
        (
            r"Invoke-CimMethod -ClassName Win32_Service -MethodName Create -Arguments @{Name='e'; PathName='C:\x.exe'; StartMode='Manual'}",
            &[r"create e ImagePath=<C:\x.exe> Start=<Manual>"],
        ),
        (
            r#"$s = Get-WmiObject Win32_Service -ComputerName SRV1 -Filter "Name='x'"; $s.Change($null,"C:\y.exe")"#,
            &[r"configure x@SRV1 ImagePath=<C:\y.exe>"],
        ),
        (r#"(Get-WmiObject win32_service -filter "name='x'").StopService()"#, &["stop x"]),
        (
            r#"Get-CimInstance Win32_Service -Filter "Name='x'" | Invoke-CimMethod -MethodName Change -Arguments @{StartMode='Disabled'}"#,
            &["configure x Start=<Disabled>"],
        ),
        (r#"Get-WmiObject Win32_Service -Filter "Name='x'" | Remove-WmiObject"#, &["delete x"]),
        (
            r#"Invoke-WmiMethod -ComputerName SRV1 -Class Win32_Process -Name Create -ArgumentList "sc stop x""#,
            &["stop x@SRV1"],
        ),
    ]);
}

#[test]
fn disguises_of_powershell() {
    for (script, expected) in [
        ("N`ew-Ser`vice -Name e -BinaryPathName x", "create e ImagePath=<x>"),
        ("&('New-'+'Service') -Name e -BinaryPathName x", "create e ImagePath=<x>"),
        ("&('{1}{0}'-f'Service','Stop-') e", "stop e"),
        ("iex ('sc.exe st'+'op e')", "stop e"),
        ("'sc.exe stop e' | iex", "stop e"),
        ("$c='sc.exe'; $d = \"$c stop e\"; Invoke-Expression $d", "stop e"),
        ("iex (-join([char[]](115,99,46,101,120,101,32,115,116,111,112,32,101)))", "stop e"),
        ("$n='e'; Stop-Service $n", "stop e"),
        (
            "iex ([Text.Encoding]::Unicode.GetString([Convert]::FromBase64String('cwBjACAAcwB0AG8AcAAgAGUA')))",
            "stop e",
        ),
        ("[scriptblock]::Create('sc.exe stop e').Invoke()", "stop e"),
        ("powershell -enc cwBjACAAcwB0AG8AcAAgAGUA", "stop e"),
    ] {
        let found = in_script(script);
        assert_eq!(told(&found), [expected], "{script}");
        assert!(found[0].decoded.is_some(), "{script}: {found:?}");
    }
}

/// What event 4103 writes, as found in the corpus of real logs; 800 has the pipeline's line above it.
#[test]
fn module_logging() {
    let logged = "CommandInvocation(New-Service): \"New-Service\"\r\nParameterBinding(New-Service): name=\"Name\"; value=\"hackervirus\"\r\nParameterBinding(New-Service): name=\"BinaryPathName\"; value=\"\"virus.exe\"\"\r\n";
    let both = format!("New-Service -Name $n -BinaryPathName virus.exe\n{logged}");
    let expected = ["create hackervirus ImagePath=<\"virus.exe\">"];
    assert_eq!(told(&in_script(logged)), expected);
    assert_eq!(told(&in_script(&both)), expected);
    let piped = "CommandInvocation(Get-Service): \"Get-Service\"\nParameterBinding(Get-Service): name=\"Name\"; value=\"x\"\nCommandInvocation(Stop-Service): \"Stop-Service\"\nParameterBinding(Stop-Service): name=\"InputObject\"; value=\"x\"\n";
    assert_eq!(told(&in_script(piped)), ["stop x"]);
}

/// A renamed tool is known by the original file name of its version resource.
#[test]
fn renamed_tools() {
    for (line, original, expected) in [
        (r"C:\t\a.exe create e binPath= x", Some("sc.exe"), Some("create e ImagePath=<x>")),
        (r"C:\t\a.exe \\SRV1 -s cmd", Some("psexec.c"), Some("create PSEXESVC@SRV1")),
        (r"C:\t\a.exe -c Stop-Service e", Some("PowerShell.EXE"), Some("stop e")),
        (r"C:\t\a.exe create e binPath= x", Some("a.exe"), None),
        (r"C:\t\a.exe create e binPath= x", None, None),
    ] {
        let process = ProcessStart {
            command_line: Some(line.to_owned()),
            original_file_name: original.map(str::to_owned),
            ..ProcessStart::default()
        };
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(told(&in_process(&process)), expected, "{line} {original:?}");
    }
}

#[test]
fn ordinary_commands_are_no_service_commands() {
    for line in [
        "sc query state= all",
        "sc qc x",
        "sc sdshow x",
        "sc qtriggerinfo x",
        "net use x: \\\\h\\s",
        r"reg add HKLM\Software\x /v a /d b",
        r"reg save HKLM\SYSTEM\CurrentControlSet\Services s.hiv",
        "reg import x.reg",
        "wmic service get name",
        "wmic process list",
        r"C:\Windows\system32\svchost.exe -k netsvcs",
        "bcdedit /enum",
        "fltmc instances",
        "powershell",
        "cmd",
        "cmd /c",
        "",
    ] {
        assert_eq!(told(&in_command_line(line)), [""; 0], "{line}");
    }
}
