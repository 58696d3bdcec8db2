using Xunit.Sdk;
using Xunit.v3;

// Most of these tests wait more than they work: a few run side by side.
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 3)]
[assembly: AssemblyFixture(typeof(SharedSandbox))]
