//! Argon2id, as PHC strings. The caller brings the memory, since touching 19 MiB of fresh pages costs as much as the hash.

use std::str::FromStr as _;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq as _;

/// What new hashes cost: 19 MiB, two passes, one lane (the second of OWASP's choices).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
pub(super) const OUTPUT_BYTES: usize = 32;
pub(super) const SALT_BYTES: usize = 16;

/// What a stored hash may ask for at most: more is an attack on the door or a broken import.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 10;
const LANES_MAX: u32 = 16;

/// The memory of one hashing thread.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<Block>);

impl Scratch {
    fn blocks(&mut self, count: usize) -> &mut [Block] {
        // An import's larger hash is not kept: each thread holds what its own hashes need.
        if self.0.len() < count {
            self.0.resize(count, Block::new());
        }
        self.0.get_mut(..count).unwrap_or_default()
    }

    fn shrink(&mut self) {
        let own = usize::try_from(MEMORY_KIB).unwrap_or(usize::MAX);
        if self.0.len() > own {
            self.0.truncate(own);
            self.0.shrink_to_fit();
        }
    }
}

/// What comparing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The password is the one that was hashed.
    pub(crate) right: bool,
    /// The hash was made at another cost than new ones are.
    pub(crate) outdated: bool,
}

/// The PHC string of a password; `None` only where the machine cannot give the memory.
pub(super) fn hash(password: &[u8], salt: [u8; SALT_BYTES], scratch: &mut Scratch) -> Option<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).ok()?;
    let output = derive(password, &salt, params.clone(), OUTPUT_BYTES, scratch)?;
    phc(&params, &salt, &output)
}

/// A hash of no password: to compare with it costs what comparing with one of today's costs, and fails.
pub(super) fn of_nobody(salt: [u8; SALT_BYTES], output: [u8; OUTPUT_BYTES]) -> Option<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).ok()?;
    phc(&params, &salt, &output)
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> Option<String> {
    let phc = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params).ok()?,
        salt: Some(Salt::new(salt).ok()?),
        hash: Some(Output::new(output).ok()?),
    };
    Some(phc.to_string())
}

/// Compares in constant time, at the cost the hash itself names. A hash that cannot be read matches nothing.
pub(super) fn verify(password: &[u8], phc: &str, scratch: &mut Scratch) -> Verified {
    let wrong = Verified {
        right: false,
        outdated: false,
    };
    let Some((params, salt, expected)) = parse(phc) else {
        tracing::error!("a stored password hash is not an argon2id hash of sane cost; its account cannot sign in");
        return wrong;
    };
    let outdated = params.m_cost() != MEMORY_KIB || params.t_cost() != PASSES || params.p_cost() != LANES;
    let found = derive(password, &salt, params, expected.len(), scratch);
    scratch.shrink();
    Verified {
        right: found.is_some_and(|found| found.ct_eq(&expected).into()),
        outdated,
    }
}

fn parse(phc: &str) -> Option<(Params, Vec<u8>, Vec<u8>)> {
    let parsed = PasswordHash::from_str(phc).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let sane = parsed.algorithm == ARGON2ID_IDENT
        && parsed.version == Some(Version::V0x13.into())
        && params.m_cost() <= MEMORY_KIB_MAX
        && params.t_cost() <= PASSES_MAX
        && params.p_cost() <= LANES_MAX;
    let salt = parsed.salt.as_ref()?.as_ref().to_vec();
    let output = parsed.hash.as_ref()?.as_bytes().to_vec();
    (sane && output.len() >= 16).then_some((params, salt, output))
}

fn derive(
    password: &[u8],
    salt: &[u8],
    params: Params,
    output_bytes: usize,
    scratch: &mut Scratch,
) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let mut output = zeroize::Zeroizing::new(vec![0_u8; output_bytes]);
    let blocks = scratch.blocks(params.block_count());
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, &mut output, blocks)
        .ok()?;
    Some(output)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn hashed(password: &str) -> String {
        hash(password.as_bytes(), [7; SALT_BYTES], &mut Scratch::default()).unwrap()
    }

    fn right(password: &str, phc: &str) -> bool {
        verify(password.as_bytes(), phc, &mut Scratch::default()).right
    }

    #[test]
    fn a_hash_names_its_own_cost_and_matches_only_its_password() {
        let phc = hashed("correct horse");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(right("correct horse", &phc));
        assert!(!right("correct horsf", &phc));
    }

    #[test]
    fn passwords_equal_in_their_first_72_bytes_differ() {
        let phc = hashed(&format!("{}a", "x".repeat(72)));
        assert!(!right(&format!("{}b", "x".repeat(72)), &phc));
        assert!(!right(&"x".repeat(72), &phc));
        let phc = hashed("before\0after");
        assert!(!right("before", &phc));
    }

    /// A hash of lower cost than new ones have.
    pub(crate) fn weak_hash(password: &str) -> String {
        let params = Params::new(1024, 1, 1, Some(OUTPUT_BYTES)).unwrap();
        let mut scratch = Scratch::default();
        let output = derive(
            password.as_bytes(),
            &[1; 16],
            params.clone(),
            OUTPUT_BYTES,
            &mut scratch,
        )
        .unwrap();
        phc(&params, &[1; 16], &output).unwrap()
    }

    #[test]
    fn nobodys_hash_costs_what_others_do_and_matches_nothing() {
        let nobodys = of_nobody([7; SALT_BYTES], [9; OUTPUT_BYTES]).unwrap();
        let (params, salt, output) = parse(&nobodys).unwrap();
        let (like, _, _) = parse(&hashed("pw")).unwrap();
        assert_eq!(params, like);
        assert_eq!(
            (salt.as_slice(), output.as_slice()),
            ([7; SALT_BYTES].as_slice(), [9; OUTPUT_BYTES].as_slice())
        );
        assert_eq!(
            verify(b"pw", &nobodys, &mut Scratch::default()),
            Verified {
                right: false,
                outdated: false
            }
        );
    }

    #[test]
    fn a_hash_of_other_cost_still_matches_and_is_told_to_be_outdated() {
        let verified = verify(b"old", &weak_hash("old"), &mut Scratch::default());
        assert_eq!((verified.right, verified.outdated), (true, true));
        assert!(!verify(b"old", &hashed("old"), &mut Scratch::default()).outdated);
    }

    #[test]
    fn a_stored_hash_of_absurd_cost_or_of_another_kind_matches_nothing_and_costs_nothing() {
        let good = hashed("pw");
        for phc in [
            good.replace("m=19456", "m=1048576"),
            good.replace("t=2", "t=4000000"),
            good.replace("argon2id", "argon2d"),
            good.replace("v=19", "v=16"),
            "$2b$12$abcdefghijklmnopqrstuv".to_owned(),
            String::new(),
        ] {
            assert!(parse(&phc).is_none(), "{phc}");
            assert!(!right("pw", &phc), "{phc}");
        }
    }
}
