using Xunit.Sdk;
using Xunit.v3;

// The tests mostly wait, so three of them run concurrently.
[assembly: Parallelization(Mode = ParallelMode.All, MaxThreads = 3)]
[assembly: AssemblyFixture(typeof(SharedSandbox))]
