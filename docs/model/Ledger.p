// One Idempotency-Key of the ledger: the Redis that keeps its record, and the gateways that create with it (docs/jobs.md).

enum RecordState { EMPTY, RUNNING, RECORDED, UNKNOWN }
enum Outcome { CREATED, REFUSED, LOST }
enum Reply { DONE, NOT_DONE, UNAVAILABLE }

// A record with the claim that wrote it.
type Record = (claim: int, status: RecordState);
type LedgerSetup = (lostReplies: int, crashes: bool, fault: Fault);

event eAdd: (from: machine, record: Record);
event eReplace: (from: machine, record: Record);
event eReply: (reply: Reply, existing: Record);
event eReplicate;
event eFailover;
event ePost: machine;
event ePosted: Outcome;

// A Redis with one replica. A write is confirmed when the replica has it (WAIT). A failover promotes the replica and loses what it does not have.
machine LedgerRedis {
  var setup: LedgerSetup;
  var record: Record;
  var copy: Record;
  var hasReplica: bool;
  var waiting: seq[machine];

  start state Serving {
    entry (configured: LedgerSetup) {
      setup = configured;
      hasReplica = true;
    }

    // AddScript: writes the record if the key is free.
    on eAdd do (request: (from: machine, record: Record)) {
      if (request.from != null && IsLost()) {   // the command runs after the gateway's timeout
        send request.from, eReply, (reply = UNAVAILABLE, existing = default(Record));
        send this, eAdd, (from = null as machine, record = request.record);
        return;
      }
      if (record.status != EMPTY && setup.fault != CLAIM_WITHOUT_NX) {
        Respond(request.from, NOT_DONE);
        return;
      }
      Write(request.record);
      Confirm(request.from);
    }

    // ReplaceScript and RemoveScript: compare the running record of the claim, and replace it. EMPTY removes it.
    on eReplace do (request: (from: machine, record: Record)) {
      if (request.from != null && IsLost()) {   // the command runs after the gateway's timeout
        send request.from, eReply, (reply = UNAVAILABLE, existing = default(Record));
        send this, eReplace, (from = null as machine, record = request.record);
        return;
      }
      if ((record.claim != request.record.claim || record.status != RUNNING) && !(setup.fault == REMOVE_ANY_RECORD && request.record.status == EMPTY)) {
        Respond(request.from, NOT_DONE);
        return;
      }
      Write(request.record);
      Confirm(request.from);
    }

    on eReplicate do {
      var from: machine;
      if (!hasReplica) { return; }
      copy = record;
      if (sizeof(waiting) > 0) {
        from = waiting[0];
        waiting -= (0);
        Respond(from, DONE);
      }
    }

    on eFailover do {
      var from: machine;
      if (!hasReplica) { return; }
      hasReplica = false;
      Write(copy);
      foreach (from in waiting) { Respond(from, UNAVAILABLE); }
      waiting = default(seq[machine]);
    }
  }

  fun Write(written: Record) {
    record = written;
    announce eRecordChanged, record;
  }

  fun Confirm(from: machine) {
    if (!hasReplica) {
      Respond(from, DONE);
      return;
    }
    send this, eReplicate;
    if (setup.fault == NO_WAIT || (setup.fault == WAIT_TIMES_OUT && $)) {
      waiting += (sizeof(waiting), null as machine);
      Respond(from, DONE);
    } else {
      waiting += (sizeof(waiting), from);
    }
  }

  // The reply may be lost: the gateway sees a timeout, although Redis ran the command.
  fun Respond(from: machine, reply: Reply) {
    if (from == null) { return; }
    if (IsLost()) {
      send from, eReply, (reply = UNAVAILABLE, existing = default(Record));
    } else {
      send from, eReply, (reply = reply, existing = record);
    }
  }

  fun IsLost(): bool {
    if (setup.lostReplies == 0 || !$) { return false; }
    setup.lostReplies = setup.lostReplies - 1;
    return true;
  }
}

// The upstream makes and bills a generation, or refuses the create. Its response may be lost.
machine BilledUpstream {
  start state Serving {
    on ePost do (from: machine) {
      if ($) {
        send from, ePosted, REFUSED;
        return;
      }
      announce eBilled;
      if ($) { send from, ePosted, CREATED; } else { send from, ePosted, LOST; }
    }
  }
}

// A gateway that gets several creates with the key, one after the other: IdempotencyMiddleware with IdempotencyLedger.
machine Gateway {
  var ledger: machine;
  var upstream: machine;
  var setup: LedgerSetup;
  var claim: int;

  start state Creating {
    entry (start_: (ledger: machine, upstream: machine, number: int, repeats: int, setup: LedgerSetup)) {
      var left: int;
      ledger = start_.ledger;
      upstream = start_.upstream;
      setup = start_.setup;
      claim = start_.number * 100;
      left = start_.repeats;
      while (left > 0) {
        claim = claim + 1;
        Create();
        left = left - 1;
      }
    }
  }

  fun Create() {
    var claimed: (reply: Reply, existing: Record);
    var outcome: Outcome;
    claimed = Add(RUNNING);
    if (claimed.reply == NOT_DONE) { return; }   // the recorded response, create_in_progress or outcome_unknown
    if (claimed.reply == UNAVAILABLE) {
      send ledger, eReplace, (from = null as machine, record = (claim = claim, status = EMPTY));
      if (setup.fault != SEND_WITHOUT_CLAIM) { return; }
    }
    if (Crashes()) { return; }
    announce eSent, claim;
    send upstream, ePost, this;
    receive { case ePosted: (posted: Outcome) { outcome = posted; } }
    if (Crashes()) { return; }
    if (outcome == CREATED) {
      RecordOutcome(RECORDED);
    } else if (outcome == REFUSED) {
      announce eRefused, claim;
      RecordOutcome(EMPTY);
    } else if (setup.fault == REMOVE_UNKNOWN) {
      RecordOutcome(EMPTY);
    } else {
      RecordOutcome(UNKNOWN);
    }
  }

  // Two attempts. If both fail, the running record stays; a removal is repeated until it is confirmed.
  fun RecordOutcome(status: RecordState) {
    var attempts: int;
    var replaced: (reply: Reply, existing: Record);
    attempts = 2;
    while (attempts > 0) {
      attempts = attempts - 1;
      send ledger, eReplace, (from = this, record = (claim = claim, status = status));
      receive { case eReply: (reply: (reply: Reply, existing: Record)) { replaced = reply; } }
      if (replaced.reply == NOT_DONE && status != EMPTY) { replaced = Add(status); }
      if (replaced.reply != UNAVAILABLE) { return; }
    }
    if (status == EMPTY) {   // the removal is repeated in the background
      send ledger, eReplace, (from = null as machine, record = (claim = claim, status = EMPTY));
    }
  }

  fun Add(status: RecordState): (reply: Reply, existing: Record) {
    var added: (reply: Reply, existing: Record);
    send ledger, eAdd, (from = this, record = (claim = claim, status = status));
    receive { case eReply: (reply: (reply: Reply, existing: Record)) { added = reply; } }
    return added;
  }

  // A create whose gateway dies sends nothing more.
  fun Crashes(): bool { return setup.crashes && $; }
}
