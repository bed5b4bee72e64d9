//! Whether somebody has what they are about to give.

use super::{AreaId, Policy, SiteId};
use crate::{ExtraGrant, Level};

impl Policy {
    /// Whether an account of `role` with `own` grants may itself do all that `given` grants, wherever it is meant: nobody gives
    /// what they do not have. A grant that the policy does not know is held by nobody.
    pub fn holds(&self, role: &str, own: &[ExtraGrant], given: &ExtraGrant) -> bool {
        let mut places = self.places_of(given).peekable();
        places.peek().is_some() && places.all(|place| self.holds_at(role, own, given, place))
    }

    fn holds_at(&self, role: &str, own: &[ExtraGrant], given: &ExtraGrant, (site, area): (SiteId, AreaId)) -> bool {
        let by_role = self.role(role).and_then(|role| role.grants.on(site, area));
        let (mut level, mut actions) = by_role.map_or((Level::None, 0), |grant| (grant.level, grant.actions));
        let Some(known) = self.site_at(site).and_then(|site| site.area(area)) else {
            return false;
        };
        for extra in own {
            if extra.area == *known.name && extra.site.as_deref().is_none_or(|name| name == self.site_name(site)) {
                level = level.max(extra.level);
                actions |= extra
                    .actions
                    .iter()
                    .fold(0, |bits, action| bits | known.action_bit(action));
            }
        }
        let needed = given.actions.iter().map(|action| known.action_bit(action));
        // An action that this area lacks is meant for another one of its name.
        level >= given.level && needed.into_iter().all(|bit| actions & bit == bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{console, role};

    fn grant(area: &str, level: Level, actions: &[&str]) -> ExtraGrant {
        let actions = actions.iter().map(|&action| action.to_owned()).collect();
        ExtraGrant {
            site: None,
            area: area.to_owned(),
            level,
            actions,
        }
    }

    fn policy() -> Policy {
        let mut rules = console();
        rules.roles.insert(
            "looker".to_owned(),
            role(&[("devices", "view"), ("settings", "manage")]),
        );
        crate::compile(&rules, crate::Revision(1)).unwrap()
    }

    #[test]
    fn what_the_role_or_the_account_itself_may_do_can_be_given() {
        let policy = policy();
        for (given, own, held) in [
            (grant("devices", Level::View, &[]), vec![], true),
            (grant("devices", Level::Manage, &[]), vec![], false),
            (grant("settings", Level::View, &[]), vec![], true),
            (grant("devices", Level::None, &["delete"]), vec![], false),
            (
                grant("devices", Level::View, &["delete"]),
                vec![grant("devices", Level::None, &["delete"])],
                true,
            ),
            (
                grant("devices", Level::Manage, &[]),
                vec![grant("settings", Level::Manage, &[])],
                false,
            ),
            (grant("nowhere", Level::View, &[]), vec![], false),
        ] {
            assert_eq!(policy.holds("looker", &own, &given), held, "{given:?} with {own:?}");
        }
        assert!(!policy.holds("nobody", &[], &grant("devices", Level::View, &[])));
    }

    #[test]
    fn a_grant_on_every_site_is_held_by_who_holds_it_on_every_site() {
        let mut rules = console();
        let devices = rules.sites["console"].clone();
        rules.sites.insert("second".to_owned(), devices);
        rules
            .roles
            .insert("half".to_owned(), role(&[("console/devices", "manage")]));
        let policy = crate::compile(&rules, crate::Revision(1)).unwrap();
        let everywhere = grant("devices", Level::View, &[]);
        assert!(!policy.holds("half", &[], &everywhere));
        let here = ExtraGrant {
            site: Some("console".to_owned()),
            ..everywhere
        };
        assert!(policy.holds("half", &[], &here));
    }
}
