using Xunit.Sdk;
using Xunit.v3;

// Most of these tests wait more than they work: a few run side by side. What measures, or loads the machine, says so and runs alone.
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 3)]
