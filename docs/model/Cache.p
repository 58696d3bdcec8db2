// One key of the cache: its names in Redis, the replicas that read it, and a caller that purges it (src/LumaGateway/Caching/README.md, rules 1 to 7).

enum Kind { NONE, INTERIM, FINAL, NOT_FOUND }
enum Written { STORED, INVALIDATED, OUTDATED }

// An entry with the time at which its upstream request began.
type Entry = (kind: Kind, requestedAt: int);

// What a replica reads of the key. The token 0 means that there is none.
type View = (token: int, final: Entry, interim: Entry);
type CacheSetup = (purges: int, evictsFinal: bool, longPauses: bool, overtakes: bool, fault: Fault);

event eGetToken: machine;
event eToken: int;
event eGetFinal: machine;
event eGetInterim: machine;
event eEntry: Entry;
event eLock: (from: machine, owner: int);
event eLocked: (isAcquired: bool, view: View);
event eRelease: int;
event eWrite: (from: machine, item: Entry, token: int, owner: int);
event eWritten: Written;
event ePurge: machine;
event ePurgeConfirmed;
event eGetTime: machine;
event eTime: int;
event eFetch: machine;
event eFetched: Entry;

// Redis runs one command or script at a time. Each handler is one command or one script of CacheScripts. A lock expires while another replica asks for it, at any time.
machine Redis {
  var setup: CacheSetup;
  var final: Entry;
  var interim: Entry;
  var token: int;
  var lastToken: int;
  var lockOwner: int;
  var fetching: set[int];   // the owners of locks that have neither written nor released, also after their lock has expired

  start state Serving {
    entry (configured: CacheSetup) { setup = configured; }
    on eGetToken do (from: machine) {
      LoseAnEntry();
      send from, eToken, token;
    }
    on eGetFinal do (from: machine) { send from, eEntry, final; }
    on eGetInterim do (from: machine) { send from, eEntry, interim; }

    on eLock do (request: (from: machine, owner: int)) {
      if (lockOwner != 0 && $) {
        announce eLeaseExpires, lockOwner;
        lockOwner = 0;
      }
      if (lockOwner == 0 || setup.fault == LOCK_WITHOUT_NX) {
        lockOwner = request.owner;
        fetching += (request.owner);
      }
      send request.from, eLocked, (isAcquired = lockOwner == request.owner, view = (token = token, final = final, interim = interim));
    }

    on eRelease do (owner: int) { Release(owner); }

    on eWrite do (request: (from: machine, item: Entry, token: int, owner: int)) {
      var written: Written;
      written = Write(request.item, request.token);
      if (request.owner != 0) { Release(request.owner); }
      send request.from, eWritten, written;
    }

    on ePurge do (from: machine) {
      token = NewToken();
      final = default(Entry);
      interim = default(Entry);
      send from, ePurgeConfirmed;
    }
  }

  // An interim or not-found entry expires at any time; a final one only if Redis evicts it. A token lives longer than any fetch, and is not evicted. Without long pauses, a not-found
  // entry outlives the fetches that began before it.
  fun LoseAnEntry() {
    if (choose(4) == 0 && (interim.kind == INTERIM || setup.longPauses || sizeof(fetching) == 0)) { interim = default(Entry); }
    if (setup.evictsFinal && choose(8) == 0) { final = default(Entry); }
  }

  fun Release(owner: int) {
    fetching -= (owner);
    if (lockOwner == owner || setup.fault == RELEASE_ANY_LOCK) { lockOwner = 0; }
  }

  fun Write(item: Entry, expected: int): Written {
    if (token != expected && setup.fault != WRITE_WITHOUT_TOKEN) { return INVALIDATED; }
    if (setup.fault != WRITE_OVER_NEWER && (IsNewer(final, item) || (IsNewer(interim, item) && (item.kind != FINAL || interim.kind == NOT_FOUND)))) { return OUTDATED; }
    if (item.kind == FINAL) {
      final = item;
      return STORED;
    }
    if (item.kind == NOT_FOUND && final.kind == FINAL) {
      final = default(Entry);
      if (setup.fault != NOT_FOUND_WITHOUT_TOKEN) { token = NewToken(); }
    }
    interim = item;
    return STORED;
  }

  fun IsNewer(stored: Entry, item: Entry): bool { return stored.kind != NONE && stored.requestedAt > item.requestedAt; }

  fun NewToken(): int {
    lastToken = lastToken + 1;
    return lastToken;
  }
}

// The upstream and the clock of all replicas. The generation is interim, then final, then deleted: it changes at any request. If no request overtakes another one, requests read the
// state in the order of their times.
machine Upstream {
  var now: int;
  var kind: Kind;

  start state Serving {
    entry { kind = INTERIM; }
    on eGetTime do (from: machine) { now = now + 1; send from, eTime, now; }
    on eFetch do (from: machine) {
      if (choose(3) == 0) {
        if (kind == INTERIM) {
          kind = FINAL;
        } else {
          kind = NOT_FOUND;
          announce eDeleted;
        }
      }
      now = now + 1;
      send from, eFetched, (kind = kind, requestedAt = now);
    }
  }
}

// A replica reads the key several times, one read after the other. Every read asks Redis: a hit in memory without a look into Redis is left out.
machine Replica {
  var redis: machine;
  var upstream: machine;
  var setup: CacheSetup;
  var memory: Entry;
  var memoryToken: int;
  var owner: int;

  start state Reading {
    entry (start_: (redis: machine, upstream: machine, number: int, reads: int, setup: CacheSetup)) {
      var left: int;
      redis = start_.redis;
      upstream = start_.upstream;
      setup = start_.setup;
      owner = start_.number * 100;
      left = start_.reads;
      while (left > 0) {
        announce eReadBegins, this;
        announce eReadEnds, (reader = this, result = Read());
        left = left - 1;
      }
    }
  }

  // CacheFill: look up, acquire the lock and look up again, fetch, store. A read without a result has reached its deadline.
  fun Read(): Entry {
    var found: Entry;
    var attempts: int;
    var reply: (isAcquired: bool, view: View);
    found = Judge(ReadRedis());
    owner = owner + 1;
    attempts = 3;
    while (found.kind == NONE && attempts > 0) {
      send redis, eLock, (from = this, owner = owner);
      receive { case eLocked: (locked: (isAcquired: bool, view: View)) { reply = locked; } }
      found = Judge(reply.view);
      if (reply.isAcquired && found.kind == NONE) { return Fetch(reply.view.token); }
      if (reply.isAcquired) { send redis, eRelease, owner; }
      attempts = attempts - 1;
    }
    return found;
  }

  // CacheLookup.ChooseAsync: chooses between memory and Redis. Whether an entry is fresh is the checker's choice.
  fun Judge(view: View): Entry {
    var stored: Entry;
    stored = view.final;
    if (stored.kind == NONE || (setup.fault == INTERIM_FIRST && view.interim.kind != NONE)) { stored = view.interim; }
    if (view.token != 0 && view.token != memoryToken) { memory = default(Entry); }
    if (stored.kind != NONE && !Outranks(memory, stored)) {
      memory = stored;
      memoryToken = view.token;
      if ($) { return stored; }
      return default(Entry);
    }
    if (memory.kind != NONE && $) {
      if (WriteRedis(memory, view.token, 0) == STORED) {
        memoryToken = view.token;
        return memory;
      }
      memory = default(Entry);
      return Judge(ReadRedis());
    }
    return default(Entry);
  }

  fun Fetch(token: int): Entry {
    var beganAt: int;
    var fetched: Entry;
    var newer: Entry;
    var written: Written;
    send upstream, eGetTime, this;
    receive { case eTime: (time: int) { beganAt = time; } }
    announce eFetchBegins, owner;
    send upstream, eFetch, this;
    receive { case eFetched: (response: Entry) { fetched = response; } }
    if (setup.overtakes) { fetched.requestedAt = beganAt; }
    announce eFetchEnds, owner;
    written = WriteRedis(fetched, token, owner);
    if (written == STORED && !Outranks(memory, fetched)) {
      memory = fetched;
      memoryToken = token;
    }
    if (written == OUTDATED) { newer = Judge(ReadRedis()); }
    if (newer.kind != NONE) { return newer; }
    return fetched;
  }

  // The token is read first: an entry from before a purge is never paired with the token of that purge.
  fun ReadRedis(): View {
    var view: View;
    if (setup.fault != TOKEN_READ_LAST) { view.token = ReadToken(); }
    send redis, eGetFinal, this;
    receive { case eEntry: (item: Entry) { view.final = item; } }
    send redis, eGetInterim, this;
    receive { case eEntry: (item: Entry) { view.interim = item; } }
    if (setup.fault == TOKEN_READ_LAST) { view.token = ReadToken(); }
    return view;
  }

  fun ReadToken(): int {
    var result: int;
    send redis, eGetToken, this;
    receive { case eToken: (token: int) { result = token; } }
    return result;
  }

  fun WriteRedis(item: Entry, token: int, lockOwner: int): Written {
    var result: Written;
    send redis, eWrite, (from = this, item = item, token = token, owner = lockOwner);
    receive { case eWritten: (written: Written) { result = written; } }
    return result;
  }

  // CacheEntry.Outranks
  fun Outranks(item: Entry, other: Entry): bool {
    if (item.kind == NONE) { return false; }
    if (item.kind == FINAL && other.kind == INTERIM) { return true; }
    if (item.kind == INTERIM && other.kind == FINAL) { return false; }
    return item.requestedAt > other.requestedAt;
  }
}

// Purges the key, each time after a pause. The purge begins before its command is sent, and ends with its confirmation.
machine Purger {
  start state Purging {
    entry (start_: (redis: machine, upstream: machine, purges: int)) {
      var left: int;
      var pause: int;
      var beganAt: int;
      left = start_.purges;
      while (left > 0) {
        pause = 1 + choose(20);
        while (pause > 0) {
          send start_.upstream, eGetTime, this;
          receive { case eTime: (time: int) { beganAt = time; } }
          pause = pause - 1;
        }
        send start_.redis, ePurge, this;
        receive { case ePurgeConfirmed: { announce ePurged, beganAt; } }
        left = left - 1;
      }
    }
  }
}
