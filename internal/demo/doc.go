// Package demo makes the events of a small fleet, to try Wadi on and to measure
// it with: two domain controllers, seven servers, two web servers and forty
// workstations over the fourteen days before a given time, with office hours and
// weekends, and an intrusion and an outage inside, labelled with the question
// that finds each and the right answer ([Truth]).
//
// # Why it exists
//
// A newcomer needs a lake worth asking before the first file is at hand; the
// benches need one of any size; the tests need questions whose answers are known
// because they were put there. Copying real logs n times serves none of them: the
// texts repeat, so they compress and count as no real lake does.
//
// # How it works
//
// A [Generator] first deals the wanted number of events out to streams (a channel
// of a machine) and hours, by weights and cumulative rounding, so the total is
// exact and the identifier of each record is known without making those before
// it. Hours and machines are then cut into blocks. A block is a pure function of
// (generation, seed, until, events, requests, number), so blocks are made in
// parallel and in any order, and a second run is recognised by the blocks' keys.
//
// Within a block, the events of a stream have evenly spaced, jittered times and
// come from a small state machine: logons open sessions, processes start in them
// and end, privileges follow the logon of an administrator. Texts are rendered
// from events.txt, which holds the events as Windows writes them, by copying
// literals and appending values: about a microsecond an event.
//
// # Limits and trade-offs
//
// A session doesn't outlive its block, so some logoffs are missing, as they are in
// real logs. Processes in Sysmon's and in the Security log are not the same ones.
// All arithmetic is on integers: floating point could differ between processors
// and with it the events.
//
// Sources: the events' fields as in the manifests of Windows Server 2022 and
// Sysmon 15; splitmix64 by Sebastiano Vigna (public domain) for random numbers.
package demo
