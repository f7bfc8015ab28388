//! RSA signatures (RFC 8017), verification only.
//!
//! Verification is one exponentiation of public numbers and a comparison: what a signature must look like is built and
//! compared whole, never taken apart (8.2.2), so that there is nothing to be lenient about.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};

use super::Refusal;
use super::algorithm::Algorithm;

/// Sizes of a modulus that are accepted, in bytes: 1024 bits, as in the years around 2000, to 8192, above which a hostile key
/// costs time.
const SMALLEST: usize = 128;
const LARGEST: usize = 1024;
/// The longest public exponent, in bytes.
const LONGEST_EXPONENT: usize = 8;

/// A public key.
pub(super) struct RsaKey<'a> {
    modulus: &'a [u8],
    exponent: &'a [u8],
}

impl<'a> RsaKey<'a> {
    /// A key from the magnitudes of its numbers, most significant byte first, without leading zeros.
    pub(super) fn new(modulus: &'a [u8], exponent: &'a [u8]) -> Result<Self, Refusal> {
        if modulus.len() < SMALLEST {
            return Err(Refusal::Key("an RSA key of less than 1024 bits"));
        }
        if modulus.len() > LARGEST {
            return Err(Refusal::Key("an RSA key of more than 8192 bits"));
        }
        let is_odd = |number: &[u8]| number.last().is_some_and(|last| last & 1 == 1);
        if !is_odd(modulus) || !is_odd(exponent) || exponent == [1] {
            return Err(Refusal::Key("numbers that are no RSA key"));
        }
        if exponent.len() > LONGEST_EXPONENT {
            return Err(Refusal::Key("an RSA key with a public exponent of more than 64 bits"));
        }
        Ok(Self { modulus, exponent })
    }

    /// The message representative of a signature, as long as the modulus (RSAVP1, 5.2.2).
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let size = self.modulus.len();
        // Some signers drop leading zeros; none may be longer than the modulus.
        if signature.len() > size {
            return None;
        }
        let bits = u32::try_from(size).ok()?.checked_mul(8)?.checked_next_multiple_of(64)?;
        let number = |bytes: &[u8]| BoxedUint::from_be_slice(bytes, bits).ok();
        let (modulus, value) = (number(self.modulus)?, number(signature)?);
        if value >= modulus {
            return None;
        }
        let modulus: Odd<BoxedUint> = Option::from(Odd::new(modulus))?;
        let exponent = BoxedUint::from_be_slice(self.exponent, 64).ok()?;
        let parameters = BoxedMontyParams::new_vartime(modulus);
        let power = BoxedMontyForm::new(value, &parameters).pow(&exponent).retrieve();
        let bytes = power.to_be_bytes();
        bytes.get(bytes.len().checked_sub(size)?..).map(<[u8]>::to_vec)
    }

    /// RSASSA-PKCS1-v1_5 (8.2.2).
    pub(super) fn verify_pkcs1(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let digest = algorithm.digest(message);
        let Some(opened) = self.open(signature) else { return false };
        // Both forms of the algorithm's parameters occur: NULL and none (note 2 of appendix B.1).
        [true, false].into_iter().any(|null| {
            padded(&digest_info(algorithm, &digest, null), self.modulus.len())
                .is_some_and(|expected| expected == opened)
        })
    }

    /// RSASSA-PSS (8.1.2, 9.1.2).
    pub(super) fn verify_pss(
        &self,
        algorithm: Algorithm,
        mask: Algorithm,
        salt: usize,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let opened = self.open(signature);
        opened.is_some_and(|opened| {
            self.is_pss(algorithm, mask, salt, &algorithm.digest(message), &opened).unwrap_or(false)
        })
    }

    fn is_pss(
        &self,
        algorithm: Algorithm,
        mask: Algorithm,
        salt: usize,
        digest: &[u8],
        opened: &[u8],
    ) -> Option<bool> {
        // The encoded message has one bit less than the modulus, and so one byte less where that is a multiple of eight.
        let top = self.modulus.first()?.leading_zeros();
        let (encoded, unused) = match top {
            7 => (opened.strip_prefix(&[0])?, 0),
            other => (opened, other.saturating_add(1)),
        };
        let encoded = encoded.strip_suffix(&[0xbc])?;
        let (masked, seed) =
            encoded.split_at_checked(encoded.len().checked_sub(algorithm.size())?)?;
        let keep = 0xff_u8.checked_shr(unused)?;
        if masked.first()? & !keep != 0 {
            return Some(false);
        }
        let stream = mask_stream(mask, seed, masked.len());
        let mut block: Vec<u8> =
            masked.iter().zip(stream).map(|(left, right)| left ^ right).collect();
        *block.first_mut()? &= keep;
        let (padding, own_salt) = block.split_at_checked(block.len().checked_sub(salt)?)?;
        let (one, zeros) = padding.split_last()?;
        if *one != 1 || zeros.iter().any(|byte| *byte != 0) {
            return Some(false);
        }
        Some(algorithm.digest(&[&[0; 8], digest, own_salt].concat()) == seed)
    }
}

/// `DigestInfo` (9.2), with the algorithm's parameters NULL or absent.
fn digest_info(algorithm: Algorithm, digest: &[u8], null: bool) -> Vec<u8> {
    let wrap = |tag: u8, content: &[u8]| {
        // Nothing here is longer than 127 bytes: the longest digest has 64.
        let mut whole = vec![tag, u8::try_from(content.len()).unwrap_or(u8::MAX)];
        whole.extend_from_slice(content);
        whole
    };
    let mut identifier = wrap(0x06, algorithm.identifier());
    if null {
        identifier.extend([0x05, 0x00]);
    }
    wrap(0x30, &[wrap(0x30, &identifier), wrap(0x04, digest)].concat())
}

/// EMSA-PKCS1-v1_5 (9.2).
fn padded(info: &[u8], size: usize) -> Option<Vec<u8>> {
    let filling = size.checked_sub(info.len())?.checked_sub(3)?;
    if filling < 8 {
        return None;
    }
    let mut whole = vec![0, 1];
    whole.resize(filling.checked_add(2)?, 0xff);
    whole.push(0);
    whole.extend_from_slice(info);
    Some(whole)
}

/// MGF1 (appendix B.2.1).
fn mask_stream(algorithm: Algorithm, seed: &[u8], length: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(length);
    let mut counter = 0_u32;
    while stream.len() < length {
        stream.extend(algorithm.digest(&[seed, &counter.to_be_bytes()].concat()));
        counter = counter.saturating_add(1);
    }
    stream.truncate(length);
    stream
}
