//! Every event goes to bytes and back, and what another release wrote can be read.

mod sample;

use std::collections::BTreeSet;

use dvt_codec::{Blobs, Decoder, Error, encode, schema};
use dvt_dbt::tree::Sha256;
use dvt_domain::Event;

#[test]
fn gives_every_event_back() {
    for event in sample::events() {
        let encoded = encode(&event);
        let decoded = Decoder::default().decode(&encoded.fingerprint, &encoded.payload, &encoded.blobs);
        assert_eq!(decoded.expect("it was just encoded"), event);
    }
}

#[test]
fn has_a_sample_of_every_schema() {
    let events = sample::events();
    let sampled: BTreeSet<_> =
        events.iter().map(|event| format!("dvt.{}.{}", event.category(), event.name())).collect();
    // A part of other records, and a record that is not in the log.
    let no_events = ["dvt.branch.ChangeSet", "dvt.view.ViewAdvanced"];
    let names = schema::all().iter().map(|schema| schema.name.clone());
    let schemas: BTreeSet<_> = names.filter(|name| !no_events.contains(&&**name)).collect();
    assert_eq!(sampled, schemas);
}

#[test]
fn knows_the_events_of_steps_by_their_names() {
    for event in sample::events() {
        let step = match &event {
            Event::Run(event) => event.step(),
            Event::Project(_) | Event::Branch(_) | Event::Layout(_) | Event::Compilation(_) => None,
        };
        assert_eq!(step.is_some(), dvt_domain::run::OF_STEPS.contains(&event.name()), "{}", event.name());
    }
}

#[test]
fn keeps_large_changes_as_a_blob() {
    let large = sample::changed_by(100_000);
    let encoded = encode(&large);
    assert!(encoded.payload.len() < 1_000, "the record is small");
    let none = Blobs::new();
    let decode = |blobs| Decoder::default().decode(&encoded.fingerprint, &encoded.payload, blobs);
    assert!(matches!(decode(&none), Err(Error::MissingBlobs(names)) if names.len() == 1));
    assert_eq!(decode(&encoded.blobs).expect("the blob is there"), large);
}

#[test]
fn reads_what_a_release_with_other_fields_wrote() {
    // An older NodePlaced with a field that is gone, and fields in another order.
    let text = r#"{"type": "record", "name": "NodePlaced", "namespace": "dvt.layout", "fields": [
        {"name": "y", "type": "double"}, {"name": "colour", "type": "string"},
        {"name": "x", "type": "double"}, {"name": "node_key", "type": "string"}]}"#;
    let payload = [&2.0_f64.to_le_bytes()[..], b"\x06red", &1.0_f64.to_le_bytes(), b"\x02a"].concat();
    let fingerprint = Sha256::of(b"any name will do");
    let mut decoder = Decoder::default();
    let unknown = decoder.decode(&fingerprint, &payload, &Blobs::new());
    assert!(matches!(unknown, Err(Error::UnknownSchema(name)) if name == fingerprint));
    decoder.learn(fingerprint, text).expect("a schema");
    let event = decoder.decode(&fingerprint, &payload, &Blobs::new()).expect("it can be resolved");
    let placed = dvt_domain::layout::NodePlaced { node_key: "a".into(), x: 1.0, y: 2.0 };
    assert_eq!(event, Event::Layout(dvt_domain::layout::Event::NodePlaced(placed)));
}

#[test]
fn refuses_bytes_that_are_no_record() {
    let encoded = encode(&sample::changed_by(10));
    for end in 0..encoded.payload.len() {
        let cut = Decoder::default().decode(&encoded.fingerprint, &encoded.payload[..end], &encoded.blobs);
        assert!(matches!(cut, Err(Error::Avro(_))), "cut at {end}");
    }
}
