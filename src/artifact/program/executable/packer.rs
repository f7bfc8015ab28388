//! Packers by the names that they give to sections.

/// A section's name and the packer that gives it.
const NAMES: &[(&str, &str)] = &[
    ("!EPack", "EPack"),
    (".ASPack", "ASPack"),
    (".MPRESS1", "MPRESS"),
    (".MPRESS2", "MPRESS"),
    (".RLPack", "RLPack"),
    (".Upack", "Upack"),
    (".UPX0", "UPX"),
    (".UPX1", "UPX"),
    (".UPX2", "UPX"),
    (".aspack", "ASPack"),
    (".ByDwing", "Upack"),
    (".enigma1", "Enigma Protector"),
    (".enigma2", "Enigma Protector"),
    (".neolit", "NeoLite"),
    (".nsp0", "NsPack"),
    (".nsp1", "NsPack"),
    (".nsp2", "NsPack"),
    (".packed", "RLPack"),
    (".pec1", "PECompact"),
    (".pec2", "PECompact"),
    (".perplex", "Perplex"),
    (".petite", "Petite"),
    (".shrink1", "Shrinker"),
    (".shrink2", "Shrinker"),
    (".shrink3", "Shrinker"),
    (".spack", "SimplePack"),
    (".svkp", "SVKP"),
    (".taz", "PESpin"),
    (".themida", "Themida"),
    (".vmp0", "VMProtect"),
    (".vmp1", "VMProtect"),
    (".vmp2", "VMProtect"),
    (".winlice", "WinLicense"),
    (".yP", "Y0da Protector"),
    ("ASPack", "ASPack"),
    ("FSG!", "FSG"),
    ("MEW", "MEW"),
    ("MPRESS1", "MPRESS"),
    ("MPRESS2", "MPRESS"),
    ("PEC2", "PECompact"),
    ("PEC2TO", "PECompact"),
    ("PECompact2", "PECompact"),
    ("PELOCKnt", "PELock"),
    ("PEPACK!!", "PEPack"),
    ("PESHiELD", "PEShield"),
    ("ProCrypt", "ProCrypt"),
    ("Themida", "Themida"),
    ("UPX!", "UPX"),
    ("UPX0", "UPX"),
    ("UPX1", "UPX"),
    ("UPX2", "UPX"),
    ("VProtect", "VProtect"),
    ("WinLicen", "WinLicense"),
    ("kkrunchy", "kkrunchy"),
    ("nsp0", "NsPack"),
    ("nsp1", "NsPack"),
    ("nsp2", "NsPack"),
    ("pebundle", "PEBundle"),
    ("y0da", "Y0da Protector"),
];

/// The packer that gives such a name to a section. Case matters.
///
/// Source: the names as packers' own output has them, collected at <https://www.hexacorn.com/blog/2016/12/15/pe-section-names-re-visited/>;
/// names that linkers give as well (`.text`, `.data`, `.rsrc`) are not in the list.
pub(super) fn of(section: &str) -> Option<&'static str> {
    NAMES.iter().find(|(name, _)| *name == section).map(|(_, packer)| *packer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_linkers_are_no_marks() {
        for name in [".text", ".rdata", ".data", ".pdata", ".rsrc", ".reloc", "INIT", "PAGE", ""] {
            assert_eq!(of(name), None, "{name}");
        }
        assert_eq!(of("UPX1"), Some("UPX"));
        assert_eq!(of(".vmp0"), Some("VMProtect"));
    }
}
