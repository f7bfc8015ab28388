//! How far an address reaches: the special-purpose ranges of IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// What kind of address it is (IANA special-purpose registries: RFC 6890, RFC 5735, RFC 4193, RFC 4291, RFC 6598).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Routed on the Internet.
    Public,
    /// 10/8, 172.16/12, 192.168/16 (RFC 1918).
    Private,
    /// `fc00::/7` (RFC 4193), the private addresses of IPv6.
    UniqueLocal,
    /// 100.64/10 (RFC 6598): between a provider's customers and its translator; also used by overlay networks.
    Shared,
    /// 127/8, `::1`: the host itself.
    Loopback,
    /// 169.254/16, `fe80::/10`: the link only.
    LinkLocal,
    /// 224/4, `ff00::/8`.
    Multicast,
    /// 255.255.255.255.
    Broadcast,
    /// 192.0.2/24, 198.51.100/24, 203.0.113/24, `2001:db8::/32`, `3fff::/20`: no real host has one.
    Documentation,
    /// `0.0.0.0`, `::`: none in particular.
    Unspecified,
    /// Anything else that is not routed.
    Reserved,
    /// No address at all.
    Unknown,
}

impl Reach {
    /// The kind of an address; an IPv4 address inside an IPv6 one counts as itself.
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(four) => of_four(four),
            IpAddr::V6(six) => of_six(six),
        }
    }

    /// The kind of an address as logged.
    pub fn of_text(address: &str) -> Self {
        parse(address).map_or(Self::Unknown, Self::of)
    }

    /// Whether it lies outside the site. The ranges for documentation count: no real host has such an address, and
    /// exercises use them for public ones.
    pub const fn is_outside(self) -> bool {
        matches!(self, Self::Public | Self::Documentation)
    }

    /// Whether it is one other host of the site, or of a network behind the same translator.
    pub const fn is_inside(self) -> bool {
        matches!(self, Self::Private | Self::UniqueLocal | Self::Shared | Self::LinkLocal)
    }

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::UniqueLocal => "private (IPv6)",
            Self::Shared => "carrier-grade NAT",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Multicast => "multicast",
            Self::Broadcast => "broadcast",
            Self::Documentation => "reserved for documentation",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
            Self::Unknown => "no address",
        }
    }
}

/// An address as logs write it: with a zone (`fe80::1%12`) or in brackets, IPv4 in IPv6 unwrapped.
pub fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn of_four(address: Ipv4Addr) -> Reach {
    let [first, second, third, _] = address.octets();
    match (first, second, third) {
        _ if address.is_unspecified() => Reach::Unspecified,
        _ if address.is_broadcast() => Reach::Broadcast,
        _ if address.is_loopback() => Reach::Loopback,
        _ if address.is_private() => Reach::Private,
        _ if address.is_link_local() => Reach::LinkLocal,
        _ if address.is_multicast() => Reach::Multicast,
        _ if address.is_documentation() => Reach::Documentation,
        (100, 64..=127, _) => Reach::Shared,
        // This network, protocol assignments, benchmarks, and what was never given out.
        (0 | 240.., _, _) | (192, 0, 0) | (198, 18 | 19, _) => Reach::Reserved,
        _ => Reach::Public,
    }
}

fn of_six(address: Ipv6Addr) -> Reach {
    let [first, second, .., seventh, last] = address.segments();
    match (first, second) {
        _ if address.is_unspecified() => Reach::Unspecified,
        _ if address.is_loopback() => Reach::Loopback,
        _ if address.is_multicast() => Reach::Multicast,
        // A translator's prefix (RFC 6052): the last 32 bits are the IPv4 address meant.
        (0x64, 0xff9b) => {
            let [a, b] = seventh.to_be_bytes();
            let [c, d] = last.to_be_bytes();
            of_four(Ipv4Addr::new(a, b, c, d))
        }
        (0x2001, 0xdb8) | (0x3fff, 0..=0xfff) => Reach::Documentation,
        (0xfc00..=0xfdff, _) => Reach::UniqueLocal,
        (0xfe80..=0xfebf, _) => Reach::LinkLocal,
        // 2000::/3 is all that is routed.
        (0x2000..=0x3fff, _) => Reach::Public,
        _ => Reach::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_reach() {
        for (address, expected) in [
            ("8.8.8.8", Reach::Public),
            ("100.63.255.255", Reach::Public),
            ("100.64.0.1", Reach::Shared),
            ("100.127.255.255", Reach::Shared),
            ("100.128.0.0", Reach::Public),
            ("10.0.0.1", Reach::Private),
            ("172.15.0.1", Reach::Public),
            ("172.31.0.1", Reach::Private),
            ("192.168.0.1", Reach::Private),
            ("169.254.1.1", Reach::LinkLocal),
            ("127.255.0.1", Reach::Loopback),
            ("224.0.0.251", Reach::Multicast),
            ("255.255.255.255", Reach::Broadcast),
            ("0.0.0.0", Reach::Unspecified),
            ("0.1.2.3", Reach::Reserved),
            ("240.0.0.1", Reach::Reserved),
            ("198.18.0.1", Reach::Reserved),
            ("203.0.113.45", Reach::Documentation),
            ("2001:4860:4860::8888", Reach::Public),
            ("2001:db8::1", Reach::Documentation),
            ("3fff:fff::1", Reach::Documentation),
            ("3fff:1000::1", Reach::Public),
            ("fe80::1%12", Reach::LinkLocal),
            ("fd00::1", Reach::UniqueLocal),
            ("fec0::1", Reach::Reserved),
            ("::1", Reach::Loopback),
            ("::", Reach::Unspecified),
            ("ff02::1:3", Reach::Multicast),
            ("::ffff:8.8.8.8", Reach::Public),
            ("::ffff:10.0.0.1", Reach::Private),
            ("64:ff9b::a00:1", Reach::Private),
            ("64:ff9b::808:808", Reach::Public),
            ("[::1]", Reach::Loopback),
            ("host", Reach::Unknown),
            ("", Reach::Unknown),
            ("8.8.8", Reach::Unknown),
        ] {
            assert_eq!(Reach::of_text(address), expected, "{address}");
        }
        assert!(Reach::Documentation.is_outside() && !Reach::Shared.is_outside());
        assert!(Reach::Shared.is_inside() && !Reach::Loopback.is_inside());
    }
}
