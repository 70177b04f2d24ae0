//! Names in candidates.

use talkie_sansio::{Answer, Hosted as _, Machine as _, Want, WantError};
use talkie_traversal::ice::{AddError, Candidate, CandidateType, Protocol, Role};
use talkie_traversal::ice::{CandidateAddress, Event};

use crate::ice_agent_puppet::Puppet;
use crate::ice_agent_world::{DELAY, World, config, ms};

fn named(name: &str) -> Candidate {
    let address = "10.0.0.2:9".parse().unwrap();
    let mut candidate =
        Candidate::new(CandidateType::Host, Protocol::Udp, address, 1000, "1".into());
    candidate.address = CandidateAddress::Name(name.into());
    candidate
}

#[test]
fn two_hosts_whose_addresses_are_hidden_find_each_other_on_their_network() {
    let configs = [Role::Controlling, Role::Controlled].map(|role| {
        let mut config = config(role);
        config.hide_addresses = true;
        config
    });
    let fate = Box::new(|_: &_| vec![DELAY]);
    let mut world = World::with(configs, &["10.0.0.1"], &["10.0.0.2"], fate);
    world.begin();
    assert!(world.run_until(ms(3000), World::agree), "{:?}", world.sides[0].stories);
    for side in &world.sides {
        assert!(!side.candidates.is_empty());
        for candidate in &side.candidates {
            assert!(!candidate.to_string().contains("10.0.0."), "{candidate}");
            assert!(candidate.to_string().contains(".local"), "{candidate}");
        }
    }
}

#[test]
fn of_a_names_addresses_one_that_we_can_send_to_is_taken() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    puppet.agent.add_remote_candidate(puppet.now, named("host.example")).unwrap();
    let Some(Want::Resolve { id, .. }) = puppet.agent.poll_want() else { panic!("it asks") };
    let addresses = ["2001:db8::2", "10.0.0.2"].map(|ip| ip.parse().unwrap()).to_vec();
    puppet.agent.handle_answer(puppet.now, Answer::Resolved { id, addresses });
    puppet.settle();
    assert_eq!(puppet.checks()[0].0, "10.0.0.2:9".parse().unwrap());
}

#[test]
fn a_name_that_cannot_be_asked_for_leaves_no_candidate() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let long = format!("{}.local", "a".repeat(300));
    let added = puppet.agent.add_remote_candidate(puppet.now, named(&long));
    assert_eq!(added, Err(AddError::Address));
    assert_eq!(puppet.agent.stats().remote_candidates, []);
}

#[test]
fn a_name_that_leads_nowhere_is_told() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    let mut portless = named("host.example");
    portless.port = 0;
    assert_eq!(puppet.agent.add_remote_candidate(puppet.now, portless), Err(AddError::Address));
    puppet.agent.add_remote_candidate(puppet.now, named("host.example")).unwrap();
    let Some(Want::Resolve { id, .. }) = puppet.agent.poll_want() else { panic!("it asks") };
    let addresses = ["0.0.0.0", "224.0.0.251"].map(|ip| ip.parse().unwrap()).to_vec();
    puppet.agent.handle_answer(puppet.now, Answer::Resolved { id, addresses });
    puppet.settle();
    assert_eq!(puppet.checks(), []);
    let is_told =
        |event: &Event| matches!(event, Event::Unresolved { name, .. } if name == "host.example");
    assert!(puppet.events.iter().any(is_told), "{:?}", puppet.events);
}

#[test]
fn another_name_is_the_drivers_to_resolve() {
    let mut puppet = Puppet::new(config(Role::Controlling), &[]);
    puppet.introduce();
    for name in ["host.example", "nobody.example"] {
        puppet.agent.add_remote_candidate(puppet.now, named(name)).unwrap();
    }
    let mut wants = Vec::new();
    while let Some(want) = puppet.agent.poll_want() {
        wants.push(want);
    }
    let [Want::Resolve { id, name }, Want::Resolve { id: other, .. }] = &wants[..] else {
        panic!("{wants:?}")
    };
    assert_eq!(name, "host.example");
    let addresses = vec!["10.0.0.2".parse().unwrap()];
    puppet.agent.handle_answer(puppet.now, Answer::Resolved { id: *id, addresses });
    let failed = Answer::Failed { id: *other, error: WantError::NoAddress };
    puppet.agent.handle_answer(puppet.now, failed);
    puppet.settle();
    assert_eq!(puppet.checks()[0].0, "10.0.0.2:9".parse().unwrap());
    let told = puppet.events.iter().find_map(|event| match event {
        Event::Unresolved { name, why } => Some((&**name, &**why)),
        _ => None,
    });
    assert_eq!(told, Some(("nobody.example", "the name has no address")));
    assert!(puppet.agent.poll_timeout().is_some());
}
