"""The packed state of a client stands in the changelogs: its bytes are frozen, and older ones can be read."""

from __future__ import annotations

import msgspec

from domain.care.fold import Person, fold_rows, rows_of
from domain.care.rows import T_METING, T_TRAJECT, TrajectRow
from domain.field.definitions import SHIPPED
from tests.build import (
    CLIENT,
    DAY_MS,
    OTHER,
    OTHER_DELIVERY,
    D,
    Told,
    by,
    cbs_record,
    dubbel,
    event,
    events,
    intrekking,
    meting,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    teruggenomen,
    toewijzing,
    vervanging,
)


def life() -> list[Told]:
    """A history with every fact, most of them twice: again, changed, or with another content under one name."""
    return [
        start(0),
        start(0, leeftijd=11),  # one message, two contents
        start(0, signed=9, ingangsdatum=D - 5),
        start(300, b"toew0002", leeftijd=None, leeftijd_benaderd=True),
        start(7, None, categorie="", code=""),
        stop(0, 200, "20"),
        stop(0, 210),
        stop(0, 210, status=3, signed=220, leeftijd=None),
        *by(OTHER, start(0), stop(0, 90)),
        prestatie("1"),
        prestatie("1", bericht=b"323 again", dagtekening=D + 50),
        prestatie("2", "1", declaratienummer=None, tarief=None),
        prestatie("3", toewijzing=b"toew0002"),
        score(day=1, waarde=None),
        score(day=1, waarde=1),  # one record, two contents
        score(day=2),  # the record again, later
        event(score(day=3, waarde=0), delivery=OTHER_DELIVERY, line=70_000),
        event(score(None, b"besch001", doel=0, beoordelaar="B", waarde=3), line=2),
        meting(205, day=206),
        event(meting(206, day=207, antwoorden={}), line=2),
        event(meting(20, "JD", meting=b"meting02", informant="Jeugdige"), line=3),
        meting(205, day=206, antwoorden={"VR10": 3, "VR09A": 8}),
        toewijzing(0),
        toewijzing(2, volume=5),
        event(toewijzing(1, volume=6), delivery=OTHER_DELIVERY),
        toewijzing(1, toewijzingstijd=60),
        toewijzing(3, b"toew0002", einddatum=D, reden_wijziging="13"),
        cbs_record(0, 100, nut_jeugdige=8, zonder_hulp_ouder=2),
        event(cbs_record(0, None, crisis=""), delivery=OTHER_DELIVERY, line=4),
        cbs_record(50, 120, "03", leeftijd=None, tijd=D * DAY_MS + 1),
        prestatie_retour("3"),
        prestatie_retour("3", code="9339"),
        intrekking("stop", stop(0, 200, "20").bericht, "0200"),
        intrekking("stop", stop(0, 200, "20").bericht),
        intrekking("start", start(300).bericht, day=D),
        prestatie_retour("2", bericht_dagtekening=D),
        dubbel("TR056", start(0).bericht, "start"),
        dubbel("TR314", b"1"),
        vervanging(OTHER_DELIVERY),
        teruggenomen(OTHER_DELIVERY, 5, 9),
    ]


#: The state of such a client as release 0.3.0 wrote it.
THIRD_RELEASE = (
    "98289c8496a83132333435363738a430333633c408746f657730303031a23435a53435413031cd4fe682c411333035203020312033aaaaaa"
    "aaaaaaaaaa9801cd4fe9c00cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01c411333035203020312039aaaaaaaaaaaaaaaa9801cd"
    "4fefcd4fe10cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0196a83132333435363738a430333633c408746f657730303032a23435"
    "a53435413031cd511281c41533303520333030203120333033aaaaaaaaaaaaaaaa9801cd5115c0c0c3a131c410aaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaa0196a83132333435363738a430333633c0a0a0cd4fed81c41233303520372031203130aaaaaaaaaaaaaaaa9801cd4ff0c00cc2"
    "a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0196a83837363534333231a430333633c408746f657730303031a23435a53435413031cd"
    "4fe681c411333035203020312033aaaaaaaaaaaaaaaa9801cd4fe9c00cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01839296a831"
    "32333435363738a430333633c408746f657730303031a23435a53435413031cd4fe6a2323081c41a33303720302032303020323020312032"
    "3033aaaaaaaaaaaaaaaa9901cd50b1c0cd50ae0cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa019296a83132333435363738a43033"
    "3633c408746f657730303031a23435a53435413031cd4fe6a2333182c41a333037203020323130203331203120323133aaaaaaaaaaaaaaaa"
    "9901cd50bbc0cd50b80cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01c41a333037203020323130203331203320323230aaaaaaaa"
    "aaaaaaaa9903cd50c2c0cd50b8c0c2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa019296a83837363534333231a430333633c408746f"
    "657730303031a23435a53435413031cd4fe6a2333181c41833303720302039302033312031203933aaaaaaaaaaaaaaaa9901cd5043c0cd50"
    "400cc2a131c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa018392a83132333435363738c4013182c40d3332332031aaaaaaaaaaaaaaaadc00"
    "10a430333633c408746f657730303031a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd5009c408646563303030303164c410"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa01c41133323320616761696eaaaaaaaaaaaaaaaadc0010a430333633c408746f657730303031a234"
    "35a53435413031c0a144cd4fe6cd500402a23134ccc8cd5018c408646563303030303164c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0192"
    "a83132333435363738c4013281c40d3332332032aaaaaaaaaaaaaaaadc0010a430333633c408746f657730303031a23435a53435413031c4"
    "0131a143cd4fe6cd500402a23134ccc8cd5009c0c0c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0192a83132333435363738c4013381c40d"
    "3332332033aaaaaaaaaaaaaaaadc0010a430333633c408746f657730303032a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd"
    "5009c408646563303030303164c410aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa018295a83132333435363738c408746f657730303031c001a1"
    "4f82c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000192cf0000019b7c010400c0c414bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000111"
    "7092cf0000019b864dbc000095a83132333435363738c0c408626573636830303100a14281c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00"
    "00000292cf0000019b76daa800038292a83132333435363738c4086d6574696e67303182c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000"
    "000195cf0000019f9bb8b000cd50b3af43454d2b5f323031385f4f455f7631a64d6f6564657282a5565230394108a45652313003c414aaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000295cf0000019fa0df0c00cd50b4af43454d2b5f323031385f4f455f7631a64d6f656465728092"
    "a83132333435363738c4086d6574696e67303281c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000395cf0000019b76daa800cd4ffaaf"
    "43454d2b5f323031385f4a445f7631a84a6575676469676582a5565230394108a456523130038293a83132333435363738a430333633c408"
    "746f6577303030319ccd4fe800c4053330312032a23435a53435413031cd4fe6c0a0a23134c408aaaaaaaaaaaaaaaa919ccd4fe700c40533"
    "30312031a23435a53435413031cd4fe6c0a0a23134c408bbbbbbbbbbbbbbbb90a0a093a83132333435363738a430333633c408746f657730"
    "3030329ccd4fe900c4053330312033a23435a53435413031cd4fe6cd4fe6a23133a23134c408aaaaaaaaaaaaaaaa90a08293a83132333435"
    "363738a23032cd4fe682c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000019fcf000001a17fce7800a6323032362d31a430303334a230"
    "31a23032cd504aa23031a1310cc208c0c002a0c414bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000049fcf000001a17fce7800a632303236"
    "2d31a430303334a23031a0c0a0a1310cc2c0c0c0c0a093a83132333435363738a23032cd501881c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aa000000019fcf0000019b76daa801a6323032362d31a430303334a23031a23032cd505ea23033a131c0c2c0c0c0c0a08292a83132333435"
    "363738c4013381c40d3332332033aaaaaaaaaaaaaaaaa43933333992a83132333435363738c4013281c411333233203200004fe6aaaaaaaa"
    "aaaaaaaaa4393333388295a83132333435363738a473746f70c412333037203020323030203230203120323033c408aaaaaaaaaaaaaaaac0"
    "a43032303095a83132333435363738a57374617274c40d33303520333030203120333033c408aaaaaaaaaaaaaaaacd4fe6a4303030318295"
    "a83132333435363738a55452303536a57374617274c409333035203020312033c408aaaaaaaaaaaaaaaac095a83132333435363738a55452"
    "333134a0c40131c408aaaaaaaaaaaaaaaac08194a83132333435363738a6323032362d31c410bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc408"
    "aaaaaaaaaaaaaaaac081c408bbbbbbbbbbbbbbbb9205098b9500a83132333435363738a430333633cd07eac408d2b51f53008af31fc408b2"
    "c709dfd2923fe69500a83132333435363738a430333633cd07eac408810bb0a6b486c4e8c408e58bf659f31a1bde9500a831323334353637"
    "38a430333633cd07eac40840e6a46f1c62ee9bc4009500a83837363534333231a430333633cd07eac40835be1daa2d7ad5dbc408ad93e0bc"
    "d0acacf29502a83132333435363738a430333633cd07eac4080e306b318b7c0257c40850a91c8aee7c0a869502a83132333435363738a0cd"
    "07eac4086c3158f1a3adaa80c408fa58f9d22e330f969501a83132333435363738a0cd07eac4086bcf8406ea3dc0c3c408afdcf60dc93fca"
    "c29501a83132333435363738a430333633cd07eac40852fd75889c937d6ec40859c76fd17715acb99501a83132333435363738a430303334"
    "cd07eac40840918b8dc7d2a820c40806701a5d753a80359501a83132333435363738a430303334cd07eac408c0cf0c7970aafa1ac408ed0b"
    "234a6c4fbdad9500a83132333435363738a430303334cd07eac40875cd25d637c0c199c408ae6cbda836ccae4d83c41502aaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaa00000002ab6265736368696b6b696e67c41501aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001a0c41501aaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaaaa00000002a565696e64650b809082c41a005452303734aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001c3c4"
    "1a025452333834aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001c2"
)

#: Where what was given out begins there; the facts stand before it.
GIVEN_OUT = THIRD_RELEASE.index("9205098b")

#: The state after that history, an event at a time: the facts as that release packed them, and a field more.
PACKED = (
    "99"
    + THIRD_RELEASE[2:GIVEN_OUT]
    + "9205098b9500a83132333435363738a430333633cd07eac408d2b51f53008af31fc4083953d448f85c2efb9500a83132333435363738a430"
    "333633cd07eac408810bb0a6b486c4e8c408f6c885b2009ea83b9500a83132333435363738a430333633cd07eac40840e6a46f1c62ee9bc4"
    "009500a83837363534333231a430333633cd07eac40835be1daa2d7ad5dbc4088e3437e9295f50d59502a83132333435363738a430333633"
    "cd07eac4080e306b318b7c0257c40850a91c8aee7c0a869502a83132333435363738a0cd07eac4086c3158f1a3adaa80c408fa58f9d22e33"
    "0f969501a83132333435363738a0cd07eac4086bcf8406ea3dc0c3c408afdcf60dc93fcac29501a83132333435363738a430333633cd07ea"
    "c40852fd75889c937d6ec40859c76fd17715acb99501a83132333435363738a430303334cd07eac40840918b8dc7d2a820c40806701a5d75"
    "3a80359501a83132333435363738a430303334cd07eac408c0cf0c7970aafa1ac408ed0b234a6c4fbdad9500a83132333435363738a43030"
    "3334cd07eac40875cd25d637c0c199c40885d934a74586826083c41502aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000002ab626573636869"
    "6b6b696e67c41501aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001a0c41501aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000002a565696e"
    "64650b809082c41a005452303734aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001c3c41a025452333834aaaaaaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaa00000001c2b031383662303035653466633431626162"
)


def test_the_packed_state_is_frozen() -> None:
    """Keys, acts and what names them are packed by position: another order would be read as other facts."""
    person = Person()
    for offset, told in enumerate(events(life())):
        fold_rows(CLIENT, person, [told], offset, offset)
        person = msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person)
    assert msgspec.msgpack.encode(person).hex() == PACKED


#: The state of such a client as release 0.2.0 wrote it.
SECOND_RELEASE = (
    "97269c8496a83132333435363738a430333633c408746f657730303031a23435a53435413031cd4fe682c411333035203020312033aaaaaa"
    "aaaaaaaaaa9601cd4fe9c00cc2a131c411333035203020312039aaaaaaaaaaaaaaaa9601cd4fefcd4fe10cc2a13196a83132333435363738"
    "a430333633c408746f657730303032a23435a53435413031cd511281c41533303520333030203120333033aaaaaaaaaaaaaaaa9601cd5115"
    "c0c0c3a13196a83132333435363738a430333633c0a0a0cd4fed81c41233303520372031203130aaaaaaaaaaaaaaaa9601cd4ff0c00cc2a1"
    "3196a83837363534333231a430333633c408746f657730303031a23435a53435413031cd4fe681c411333035203020312033aaaaaaaaaaaa"
    "aaaa9601cd4fe9c00cc2a131839296a83132333435363738a430333633c408746f657730303031a23435a53435413031cd4fe6a2323081c4"
    "1a333037203020323030203230203120323033aaaaaaaaaaaaaaaa9701cd50b1c0cd50ae0cc2a1319296a83132333435363738a430333633"
    "c408746f657730303031a23435a53435413031cd4fe6a2333182c41a333037203020323130203331203120323133aaaaaaaaaaaaaaaa9701"
    "cd50bbc0cd50b80cc2a131c41a333037203020323130203331203320323230aaaaaaaaaaaaaaaa9703cd50c2c0cd50b8c0c2a1319296a838"
    "37363534333231a430333633c408746f657730303031a23435a53435413031cd4fe6a2333181c41833303720302039302033312031203933"
    "aaaaaaaaaaaaaaaa9701cd5043c0cd50400cc2a1318392a83132333435363738c4013182c40d3332332031aaaaaaaaaaaaaaaa9ea4303336"
    "33c408746f657730303031a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd5009c408646563303030303164c4113332332061"
    "6761696eaaaaaaaaaaaaaaaa9ea430333633c408746f657730303031a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd5018c4"
    "0864656330303030316492a83132333435363738c4013281c40d3332332032aaaaaaaaaaaaaaaa9ea430333633c408746f657730303031a2"
    "3435a53435413031c40131a143cd4fe6cd500402a23134ccc8cd5009c0c092a83132333435363738c4013381c40d3332332033aaaaaaaaaa"
    "aaaaaa9ea430333633c408746f657730303032a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd5009c4086465633030303031"
    "648295a83132333435363738c408746f657730303031c001a14f82c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000192cf0000019b7c"
    "010400c0c414bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0001117092cf0000019b864dbc000095a83132333435363738c0c408626573636830"
    "303100a14281c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000292cf0000019b76daa800038292a83132333435363738c4086d657469"
    "6e67303182c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000195cf0000019f9bb8b000cd50b3af43454d2b5f323031385f4f455f7631"
    "a64d6f6564657282a5565230394108a45652313003c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000295cf0000019fa0df0c00cd50b4"
    "af43454d2b5f323031385f4f455f7631a64d6f656465728092a83132333435363738c4086d6574696e67303281c414aaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaaaaaa0000000395cf0000019b76daa800cd4ffaaf43454d2b5f323031385f4a445f7631a84a6575676469676582a55652303941"
    "08a456523130038293a83132333435363738a430333633c408746f6577303030319bcd4fe800c4053330312032a23435a53435413031cd4f"
    "e6c0a0a23134c408aaaaaaaaaaaaaaaa919bcd4fe700c4053330312031a23435a53435413031cd4fe6c0a0a23134c408bbbbbbbbbbbbbbbb"
    "9093a83132333435363738a430333633c408746f6577303030329bcd4fe900c4053330312033a23435a53435413031cd4fe6cd4fe6a23133"
    "a23134c408aaaaaaaaaaaaaaaa908293a83132333435363738a23032cd4fe682c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000019ecf"
    "000001a17fce7800a6323032362d31a430303334a23031a23032cd504aa23031a1310cc208c0c002c414bbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    "bbbb000000049ecf000001a17fce7800a6323032362d31a430303334a23031a0c0a0a1310cc2c0c0c0c093a83132333435363738a23032cd"
    "501881c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000019ecf0000019b76daa801a6323032362d31a430303334a23031a23032cd505e"
    "a23033a131c0c2c0c0c0c08192a83132333435363738c4013381c40d3332332033aaaaaaaaaaaaaaaaa4393333398194a831323334353637"
    "38a473746f70c412333037203020323030203230203120323033c408aaaaaaaaaaaaaaaaa4303230308295a83132333435363738a5545230"
    "3536a57374617274c409333035203020312033c408aaaaaaaaaaaaaaaac095a83132333435363738a55452333134a0c40131c408aaaaaaaa"
    "aaaaaaaac08194a83132333435363738a6323032362d31c410bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc408aaaaaaaaaaaaaaaac081c408bb"
    "bbbbbbbbbbbbbb9205098b9500a83132333435363738a430333633cd07eac408d2b51f53008af31fc4083c137fdcdbf856aa9500a8313233"
    "3435363738a430333633cd07eac408810bb0a6b486c4e8c408cb06aa1a190185549500a83132333435363738a430333633cd07eac40840e6"
    "a46f1c62ee9bc4009500a83837363534333231a430333633cd07eac40835be1daa2d7ad5dbc4085e1a1387731e2b1c9502a8313233343536"
    "3738a430333633cd07eac4080e306b318b7c0257c40850a91c8aee7c0a869502a83132333435363738a0cd07eac4086c3158f1a3adaa80c4"
    "08fa58f9d22e330f969501a83132333435363738a0cd07eac4086bcf8406ea3dc0c3c408c2ad71d63b2ed5d79501a83132333435363738a4"
    "30333633cd07eac40852fd75889c937d6ec40859c76fd17715acb99501a83132333435363738a430303334cd07eac40840918b8dc7d2a820"
    "c40806701a5d753a80359501a83132333435363738a430303334cd07eac408c0cf0c7970aafa1ac408ed0b234a6c4fbdad9500a831323334"
    "35363738a430303334cd07eac40875cd25d637c0c199c4088e6cccf0cecf23ad83c41502aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000002"
    "ab6265736368696b6b696e67c41501aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00000001a0c41501aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa00"
    "000002a77472616a6563740d8090"
)


def test_a_state_of_the_third_release_is_read_and_gives_out_every_row_once_more() -> None:
    """It does not say by which definitions its rows were made."""
    person = msgspec.msgpack.decode(bytes.fromhex(THIRD_RELEASE), type=Person)
    assert (person.version, person.definitions) == (40, "")
    repeated = events([toewijzing(0)])
    given_out = fold_rows(CLIENT, person, repeated, 41, 41)
    assert {issued.key for issued in given_out} == set(person.out)
    assert {issued.key: issued.row for issued in given_out if issued.row} == rows_of(CLIENT, person.facts)
    assert person.definitions == SHIPPED.id
    assert fold_rows(CLIENT, person, repeated, 42, 42) == []


def test_a_state_of_the_second_release_is_read_and_folded_on() -> None:
    person = msgspec.msgpack.decode(bytes.fromhex(SECOND_RELEASE), type=Person)
    before = rows_of(CLIENT, person.facts)
    assert len(before) == 10
    fold_rows(CLIENT, person, events([intrekking("stop", stop(0, 210).bericht, day=D + 1)]), 14, 14)
    assert rows_of(CLIENT, person.facts) == before  # of another dagtekening: another message
    fold_rows(CLIENT, person, events([intrekking("stop", stop(0, 210).bericht, day=D + 213)]), 15, 15)
    assert rows_of(CLIENT, person.facts) != before


#: The packed state of a client as release 0.1.0 wrote it, before assignments, answers and CBS records were kept.
FIRST_RELEASE = (
    "930a958296a83132333435363738a430333633c408746f657730303031a23435a534354130316483c4087330303030313030960167c00c"
    "c2a131c4087330303030393939960368c00cc2a131c4087330303031303030960169c00cc2a13196a83132333435363738a430343537c0"
    "a23435a53435413031cd012c81c40873303030303330309601cd012fc00cc2a131829296a83132333435363738a430333633c408746f65"
    "7730303031a23435a5343541303164a2323081c40865303030303230309701cccbc0ccc80dc2a1319296a83132333435363738a4303336"
    "33c408746f657730303031a23435a5343541303164a2333181c40865303030303231309701ccd5c0ccd20dc2a1318292a8313233343536"
    "3738c408726566303030303181c40862303030303030319ca430333633c408746f657730303031a23435a53435413031c0a144646401a2"
    "313401cc8292a83132333435363738c408726566303030303281c40862303030303030329ca430333633c408746f657730303031a23435"
    "a53435413031c4087265663030303031a143646401a2313401cc828295a83132333435363738c408746f657730303031c001a14f81c40c"
    "aaaaaaaaaaaaaaaa0000000192320295a83132333435363738c0c408626573636830303100a14281c40caaaaaaaaaaaaaaaa0000000292"
    "32c08192a83132333435363738c4086d6574696e67303181c40cbbbbbbbbbbbbbbbb00000001953cccd7af43454d2b5f323031385f4f45"
    "5f7631a64d6f6564657282a5565230394108a45652313003859500a83132333435363738a430333633cd07b2c40832ac7dd9a993af72c4"
    "08f675b56294b50a069500a83132333435363738a430333633cd07b2c408b205b6e33303cbd9c408a4bed4a3dd5bee449501a831323334"
    "35363738a430333633cd07b2c4086bcf8406ea3dc0c3c4082d54703eeb987d459502a83132333435363738a430333633cd07b2c4080e30"
    "6b318b7c0257c40867cbb4f3b36c8f3f9502a83132333435363738a0cd07b2c4086c3158f1a3adaa80c40871b41d1f0a1ce948"
)


def test_a_state_of_the_first_release_is_read_and_folded_on() -> None:
    """Frozen: the blob stands in the changelogs. New fields of the state come at the end, with a default."""
    person = msgspec.msgpack.decode(bytes.fromhex(FIRST_RELEASE), type=Person)
    assert person.version == 10
    assert [len(part) for part in msgspec.structs.astuple(person.facts)] == [2, 2, 2, 2, 1, 0, 0, 0, 0, 0, 0, 0]
    (row,) = (r for r in rows_of(CLIENT, person.facts).values() if isinstance(r, TrajectRow) and r.begindatum == 100)
    assert (row.status, row.einddatum, row.reden_beeindiging, row.gas, row.nut_ouder) == (
        "beeindigd",
        210,
        "31",
        {"1O": 2},
        8,
    )
    assert (row.declaraties, row.metingen_einde, row.wacht) == (0, 1, {"toewijzing": 103})
    given_out = fold_rows(CLIENT, person, events([intrekking("stop", b"e0000210")]), 11, 11)
    # Without the final stop only the pause is left, and the start of day 300 resumes it: one traject.
    (row,) = (u.row for u in given_out if isinstance(u.row, TrajectRow))
    assert (row.status, row.leveringen) == ("lopend", 2)
    assert sorted(u.key.table for u in given_out if u.row is None) == [T_TRAJECT, T_METING]
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person) == person
