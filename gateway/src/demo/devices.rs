//! What the sample console manages: a handful of devices, a few settings, a short memory of changes.

use std::collections::{BTreeMap, VecDeque};

/// Changes that are remembered.
const CHANGES_MAX: usize = 20;
/// The longest name of a device or an organisation, in characters.
const NAME_CHARS_MAX: usize = 60;
/// The longest history that can be set, in days.
const HISTORY_DAYS_MAX: u16 = 3650;

/// Name, place, firmware and whether it is online.
const SAMPLES: [(&str, &str, &str, bool); 12] = [
    ("North pier lamp", "Harbour", "4.2.1", true),
    ("South pier lamp", "Harbour", "4.2.1", true),
    ("Fog horn", "Harbour", "2.0.9", false),
    ("Tide gauge 1", "Estuary", "7.1.0", true),
    ("Tide gauge 2", "Estuary", "7.0.3", true),
    ("Lock gate, upper", "Canal", "3.8.4", true),
    ("Lock gate, lower", "Canal", "3.8.4", false),
    ("Pump house", "Canal", "3.7.0", true),
    ("Radar mast", "Headland", "11.0.2", true),
    ("Weather station", "Headland", "5.5.5", true),
    ("Radio relay", "Headland", "1.9.12", false),
    ("Store room door", "Depot", "0.9.7", true),
];

/// Everything the console knows.
#[derive(Debug)]
pub(super) struct Lighthouse {
    devices: BTreeMap<u32, Device>,
    changes: VecDeque<String>,
    pub(super) settings: Settings,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) id: u32,
    pub(super) name: String,
    pub(super) place: &'static str,
    pub(super) firmware: &'static str,
    pub(super) online: bool,
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) organisation: String,
    pub(super) history_days: u16,
}

impl Lighthouse {
    /// With the sample devices.
    pub(super) fn new() -> Self {
        Self {
            devices: samples(),
            changes: VecDeque::with_capacity(CHANGES_MAX),
            settings: Settings {
                organisation: "Harbour Authority".to_owned(),
                history_days: 90,
            },
        }
    }

    /// The devices whose name or place holds `part`, in any case; all of them for an empty one.
    pub(super) fn matching(&self, part: &str) -> Vec<Device> {
        let part = part.to_lowercase();
        let holds = |text: &str| text.to_lowercase().contains(&part);
        self.devices
            .values()
            .filter(|device| holds(&device.name) || holds(device.place))
            .cloned()
            .collect()
    }

    pub(super) fn device(&self, id: u32) -> Option<Device> {
        self.devices.get(&id).cloned()
    }

    /// All, and how many of them are online.
    pub(super) fn counts(&self) -> (usize, usize) {
        (
            self.devices.len(),
            self.devices.values().filter(|device| device.online).count(),
        )
    }

    /// The latest changes, the latest first.
    pub(super) fn changes(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().map(String::as_str)
    }

    /// Answers whether there is such a device.
    pub(super) fn rename(&mut self, id: u32, name: &str, by: &str) -> Result<(), Refused> {
        let name = checked_name(name)?;
        let device = self.devices.get_mut(&id).ok_or(Refused::NoDevice)?;
        let before = std::mem::replace(&mut device.name, name.clone());
        self.remember(format!("{by} renamed {before} to {name}"));
        Ok(())
    }

    pub(super) fn delete(&mut self, id: u32, by: &str) -> Result<(), Refused> {
        let device = self.devices.remove(&id).ok_or(Refused::NoDevice)?;
        self.remember(format!("{by} deleted {}", device.name));
        Ok(())
    }

    pub(super) fn restore(&mut self, by: &str) {
        self.devices = samples();
        self.remember(format!("{by} restored the sample devices"));
    }

    pub(super) fn change_settings(&mut self, organisation: &str, history_days: u16, by: &str) -> Result<(), Refused> {
        let organisation = checked_name(organisation)?;
        if !(1..=HISTORY_DAYS_MAX).contains(&history_days) {
            return Err(Refused::HistoryDays);
        }
        self.settings = Settings {
            organisation,
            history_days,
        };
        self.remember(format!("{by} changed the settings"));
        Ok(())
    }

    fn remember(&mut self, change: String) {
        self.changes.truncate(CHANGES_MAX - 1);
        self.changes.push_front(change);
    }
}

/// Why the console did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    NoDevice,
    Name,
    HistoryDays,
}

impl Refused {
    pub(super) fn sentence(self) -> &'static str {
        match self {
            Self::NoDevice => "There is no such device.",
            Self::Name => "A name has 1 to 60 characters.",
            Self::HistoryDays => "The history is kept for 1 to 3650 days.",
        }
    }
}

fn checked_name(typed: &str) -> Result<String, Refused> {
    let name = typed.trim();
    let chars = name.chars().count();
    if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(Refused::Name);
    }
    Ok(name.to_owned())
}

fn samples() -> BTreeMap<u32, Device> {
    let device = |(id, (name, place, firmware, online)): (u32, (&str, &'static str, &'static str, bool))| {
        let name = name.to_owned();
        (
            id,
            Device {
                id,
                name,
                place,
                firmware,
                online,
            },
        )
    };
    (1..).zip(SAMPLES).map(device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_looks_at_names_and_places_in_any_case() {
        let lighthouse = Lighthouse::new();
        assert_eq!(lighthouse.matching("LAMP").len(), 2);
        assert_eq!(lighthouse.matching("canal").len(), 3);
        assert_eq!(lighthouse.matching("").len(), SAMPLES.len());
    }

    #[test]
    fn only_so_many_changes_are_remembered() {
        let mut lighthouse = Lighthouse::new();
        for round in 0..CHANGES_MAX * 2 {
            lighthouse.rename(1, &format!("Lamp {round}"), "otto").unwrap();
        }
        assert_eq!(lighthouse.changes().count(), CHANGES_MAX);
        assert_eq!(lighthouse.changes().next(), Some("otto renamed Lamp 38 to Lamp 39"));
    }

    #[test]
    fn names_that_are_empty_or_endless_are_refused() {
        let mut lighthouse = Lighthouse::new();
        for name in ["", "  ", "a\u{7}b", "x".repeat(61).as_str()] {
            assert_eq!(lighthouse.rename(1, name, "otto"), Err(Refused::Name), "{name:?}");
        }
        assert_eq!(lighthouse.device(1).unwrap().name, "North pier lamp");
    }

    #[test]
    fn a_deleted_device_is_gone_until_the_samples_are_restored() {
        let mut lighthouse = Lighthouse::new();
        lighthouse.delete(3, "otto").unwrap();
        assert_eq!(lighthouse.delete(3, "otto"), Err(Refused::NoDevice));
        assert_eq!(lighthouse.counts(), (11, 9));
        lighthouse.restore("olga");
        assert_eq!(lighthouse.counts(), (12, 9));
    }
}
