// The properties of the ledger that every schedule must have.

event eBilled;
event eSent: int;
event eRefused: int;
event eRecordChanged: Record;

// The upstream bills one create for the key.
spec OneBilledCreate observes eBilled {
  var billed: int;

  start state Watching {
    on eBilled do {
      billed = billed + 1;
      assert billed == 1, "a second create was billed";
    }
  }
}

// From the moment that a create is posted, the ledger has a record of the key, until the upstream has refused the create.
spec EverySentCreateHasARecord observes eSent, eRefused, eRecordChanged {
  var record: Record;
  var posted: set[int];

  start state Watching {
    on eRecordChanged do (changed: Record) {
      record = changed;
      assert sizeof(posted) == 0 || record.status != EMPTY, format("the creates {0} have no record", posted);
    }
    on eSent do (claim: int) {
      assert record.claim == claim && record.status == RUNNING, format("create {0} was posted, the record is {1}", claim, record);
      posted += (claim);
    }
    on eRefused do (claim: int) { posted -= (claim); }
  }
}
