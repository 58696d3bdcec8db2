using Xunit.Sdk;
using Xunit.v3;

// These tests start processes that need the whole machine: one at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
