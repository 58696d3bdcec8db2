// The properties of the cache that every schedule must have.

event eReadBegins: machine;
event eReadEnds: (reader: machine, result: Entry);
event ePurged: int;
event eDeleted;
event eFetchBegins: int;
event eFetchEnds: int;
event eLeaseExpires: int;

// A read that begins after a confirmed purge returns nothing that was requested before that purge began.
spec NothingOlderThanAPurge observes ePurged, eReadBegins, eReadEnds {
  var purgedAt: int;
  var oldest: map[machine, int];

  start state Watching {
    on ePurged do (beganAt: int) { purgedAt = beganAt; }
    on eReadBegins do (reader: machine) { oldest[reader] = purgedAt; }
    on eReadEnds do (read: (reader: machine, result: Entry)) {
      assert read.result.kind == NONE || read.result.requestedAt >= oldest[read.reader],
        format("the read returned {0}, purged at {1}", read.result, oldest[read.reader]);
    }
  }
}

// A read that begins after another read has returned a final or not-found entry returns no older final entry and, until the generation is deleted, no interim entry after a final one.
// After a deletion, an interim entry may be returned as long as it is fresh (two seconds): the model has no durations.
spec NoStateGoesBack observes eReadBegins, eReadEnds, eDeleted {
  var settledAt: int;
  var isFinal: bool;
  var isDeleted: bool;
  var oldest: map[machine, int];
  var startedFinal: map[machine, bool];

  start state Watching {
    on eDeleted do { isDeleted = true; }
    on eReadBegins do (reader: machine) {
      oldest[reader] = settledAt;
      startedFinal[reader] = isFinal;
    }
    on eReadEnds do (read: (reader: machine, result: Entry)) {
      if (read.result.kind == NONE) { return; }
      assert read.result.kind != FINAL || read.result.requestedAt >= oldest[read.reader], format("the read returned {0}, a state of {1} was returned before", read.result, oldest[read.reader]);
      assert !(startedFinal[read.reader] && read.result.kind == INTERIM && !isDeleted), "the final state became interim";
      if (read.result.kind == FINAL) { isFinal = true; }
      if (read.result.kind != INTERIM && read.result.requestedAt > settledAt) { settledAt = read.result.requestedAt; }
    }
  }
}

// While no lock has expired, the upstream gets one request at a time.
spec OneFetchAtATime observes eFetchBegins, eFetchEnds, eLeaseExpires {
  var running: set[int];
  var expired: set[int];

  start state Watching {
    on eFetchBegins do (owner: int) {
      if (owner in expired) { return; }
      assert sizeof(running) == 0, format("{0} fetches while {1} fetches", owner, running);
      running += (owner);
    }
    on eFetchEnds do (owner: int) { running -= (owner); }
    on eLeaseExpires do (owner: int) {
      running -= (owner);
      expired += (owner);
    }
  }
}
