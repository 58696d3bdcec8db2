// The checked cases. `check` requires that no case of the first part violates a property, and that every case of the other parts does.

// Faults that are put into the model to show that the properties find them.
enum Fault {
  NO_FAULT,
  WRITE_WITHOUT_TOKEN, TOKEN_READ_LAST,                       // NothingOlderThanAPurge
  WRITE_OVER_NEWER, NOT_FOUND_WITHOUT_TOKEN, INTERIM_FIRST,   // NoStateGoesBack
  LOCK_WITHOUT_NX, RELEASE_ANY_LOCK,                          // OneFetchAtATime
  NO_WAIT, WAIT_TIMES_OUT, CLAIM_WITHOUT_NX,                  // OneBilledCreate, EverySentCreateHasARecord
  REMOVE_ANY_RECORD, SEND_WITHOUT_CLAIM, REMOVE_UNKNOWN
}

fun StartCache(setup: CacheSetup) {
  var redis: machine;
  var upstream: machine;
  var number: int;
  redis = new Redis(setup);
  upstream = new Upstream();
  while (number < 3) {
    number = number + 1;
    new Replica((redis = redis, upstream = upstream, number = number, reads = 3, setup = setup));
  }
  new Purger((redis = redis, upstream = upstream, purges = setup.purges));
}

fun StartPurges(fault: Fault) { StartCache((purges = 2, evictsFinal = true, longPauses = true, overtakes = true, fault = fault)); }
fun StartStates(fault: Fault) { StartCache((purges = 0, evictsFinal = false, longPauses = false, overtakes = false, fault = fault)); }

fun StartLedger(fault: Fault) {
  var setup: LedgerSetup;
  var ledger: machine;
  var upstream: machine;
  var number: int;
  setup = (lostReplies = 2, crashes = true, fault = fault);
  ledger = new LedgerRedis(setup);
  upstream = new BilledUpstream();
  while (number < 3) {
    number = number + 1;
    new Gateway((ledger = ledger, upstream = upstream, number = number, repeats = 2, setup = setup));
  }
  send ledger, eFailover;
}

module cache = { Redis, Upstream, Replica, Purger };
module ledger = { LedgerRedis, BilledUpstream, Gateway };

// Part 1: the protocol as it is.
machine Purges { start state Init { entry { StartPurges(NO_FAULT); } } }
machine States { start state Init { entry { StartStates(NO_FAULT); } } }
machine Creates { start state Init { entry { StartLedger(NO_FAULT); } } }
test Cache_with_purges [main=Purges]: assert NothingOlderThanAPurge, OneFetchAtATime in (union { Purges }, cache);
test Cache_without_purges [main=States]: assert NoStateGoesBack, OneFetchAtATime in (union { States }, cache);
test Ledger_with_a_failover [main=Creates]: assert OneBilledCreate, EverySentCreateHasARecord in (union { Creates }, ledger);

// Part 2: outside the assumptions (README.md).
machine LongPauses { start state Init { entry { StartCache((purges = 0, evictsFinal = false, longPauses = true, overtakes = false, fault = NO_FAULT)); } } }
machine Overtakes { start state Init { entry { StartCache((purges = 0, evictsFinal = false, longPauses = false, overtakes = true, fault = NO_FAULT)); } } }
machine WaitTimesOut { start state Init { entry { StartLedger(WAIT_TIMES_OUT); } } }
test Limit_long_pauses [main=LongPauses]: assert NoStateGoesBack in (union { LongPauses }, cache);
test Limit_overtaking_requests [main=Overtakes]: assert NoStateGoesBack in (union { Overtakes }, cache);
test Limit_wait_times_out [main=WaitTimesOut]: assert OneBilledCreate in (union { WaitTimesOut }, ledger);

// Part 3: one fault each.
machine WriteWithoutToken { start state Init { entry { StartPurges(WRITE_WITHOUT_TOKEN); } } }
machine TokenReadLast { start state Init { entry { StartPurges(TOKEN_READ_LAST); } } }
machine WriteOverNewer { start state Init { entry { StartStates(WRITE_OVER_NEWER); } } }
machine NotFoundWithoutToken { start state Init { entry { StartStates(NOT_FOUND_WITHOUT_TOKEN); } } }
machine InterimFirst { start state Init { entry { StartStates(INTERIM_FIRST); } } }
machine LockWithoutNx { start state Init { entry { StartStates(LOCK_WITHOUT_NX); } } }
machine ReleaseAnyLock { start state Init { entry { StartStates(RELEASE_ANY_LOCK); } } }
machine NoWait { start state Init { entry { StartLedger(NO_WAIT); } } }
machine ClaimWithoutNx { start state Init { entry { StartLedger(CLAIM_WITHOUT_NX); } } }
machine RemoveAnyRecord { start state Init { entry { StartLedger(REMOVE_ANY_RECORD); } } }
machine SendWithoutClaim { start state Init { entry { StartLedger(SEND_WITHOUT_CLAIM); } } }
machine RemoveUnknown { start state Init { entry { StartLedger(REMOVE_UNKNOWN); } } }
test Fault_write_without_token [main=WriteWithoutToken]: assert NothingOlderThanAPurge in (union { WriteWithoutToken }, cache);
test Fault_token_read_last [main=TokenReadLast]: assert NothingOlderThanAPurge in (union { TokenReadLast }, cache);
test Fault_write_over_newer [main=WriteOverNewer]: assert NoStateGoesBack in (union { WriteOverNewer }, cache);
test Fault_not_found_without_token [main=NotFoundWithoutToken]: assert NoStateGoesBack in (union { NotFoundWithoutToken }, cache);
test Fault_interim_first [main=InterimFirst]: assert NoStateGoesBack in (union { InterimFirst }, cache);
test Fault_lock_without_nx [main=LockWithoutNx]: assert OneFetchAtATime in (union { LockWithoutNx }, cache);
test Fault_release_any_lock [main=ReleaseAnyLock]: assert OneFetchAtATime in (union { ReleaseAnyLock }, cache);
test Fault_no_wait [main=NoWait]: assert OneBilledCreate, EverySentCreateHasARecord in (union { NoWait }, ledger);
test Fault_claim_without_nx [main=ClaimWithoutNx]: assert OneBilledCreate in (union { ClaimWithoutNx }, ledger);
test Fault_remove_any_record [main=RemoveAnyRecord]: assert OneBilledCreate in (union { RemoveAnyRecord }, ledger);
test Fault_send_without_claim [main=SendWithoutClaim]: assert EverySentCreateHasARecord in (union { SendWithoutClaim }, ledger);
test Fault_remove_unknown [main=RemoveUnknown]: assert OneBilledCreate in (union { RemoveUnknown }, ledger);
