using Xunit.Sdk;
using Xunit.v3;

// Each test loads the machine: they run one after the other.
[assembly: Parallelization(Mode = ParallelMode.None)]
