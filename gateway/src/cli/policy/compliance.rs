//! `stagedoor policy compliance`: for who has to answer for the rules.

use serde_json::{Value, json};
use stagedoor_policy::compliance::{ALWAYS, Always, Demand, Departure, Strength, departures};

use crate::cli::arguments::Reach;
use crate::cli::failure::Failure;
use crate::cli::place::{self, BUILDING_FILE};
use crate::cli::shell::Shell;
use crate::cli::text::{count, plain};

pub(super) fn run(shell: &mut Shell<'_>, reach: &Reach) -> Result<(), Failure> {
    let Some(building) = place::building_file(shell, reach.config.as_deref()) else {
        return Err(
            Failure::configuration(format!("there is no `{BUILDING_FILE}` in `{}`", shell.folder.display()))
                .help("`--config FILE` names one elsewhere; the rules of a running door: `stagedoor policy get`"),
        );
    };
    let loaded = stagedoor_config::load(&place::sources(shell, building), &place::settings(shell))
        .map_err(|faults| Failure::configuration(faults.to_string()))?;
    let found = departures(&loaded.policy);
    let value = json!({
        "departures": found.iter().map(departure_json).collect::<Vec<_>>(),
        "always": ALWAYS.iter().map(always_json).collect::<Vec<_>>(),
    });
    shell.answer(&value, |_| to_text(&found))
}

fn to_text(found: &[Departure]) -> String {
    let mut told = match found.len() {
        0 => "These rules depart from nothing that NIST SP 800-63B-4 and OWASP ASVS 5.0.0 say of them.\n".to_owned(),
        number => format!("These rules depart from the standards in {}:\n", count(number, "place")),
    };
    for departure in found {
        told += &format!("\n{} = {}\n", departure.setting, plain(&departure.value));
        for demand in departure.demands {
            told += &format!("  {}\n", demand_text(demand));
        }
        told += &match &departure.reason {
            Some(reason) => format!("  reason: {}\n", plain(reason)),
            None => format!(
                "  no reason is given: write one in `[departures]`, as \"{}\"\n",
                departure.setting
            ),
        };
    }
    told += "\nWhatever the rules say:\n";
    for always in &ALWAYS {
        told += &format!(
            "\n{}\n  {}\n  reason: {}\n",
            always.does,
            demand_text(&always.demand),
            always.reason
        );
    }
    told.trim_end().to_owned()
}

/// `NIST SP 800-63B-4, 3.1.1.2 (shall): no rules about …`
fn demand_text(demand: &Demand) -> String {
    let Demand {
        document,
        place,
        demand: asks,
        ..
    } = demand;
    format!("{document}, {place} ({}): {asks}", word(demand.strength))
}

fn word(strength: Strength) -> &'static str {
    match strength {
        Strength::Shall => "shall",
        Strength::Should => "should",
    }
}

fn departure_json(departure: &Departure) -> Value {
    json!({
        "setting": departure.setting,
        "value": departure.value,
        "demands": departure.demands.iter().map(demand_json).collect::<Vec<_>>(),
        "reason": departure.reason,
    })
}

fn always_json(always: &Always) -> Value {
    json!({ "does": always.does, "demand": demand_json(&always.demand), "reason": always.reason })
}

fn demand_json(demand: &Demand) -> Value {
    json!({
        "document": demand.document,
        "place": demand.place,
        "strength": word(demand.strength),
        "demand": demand.demand,
    })
}
