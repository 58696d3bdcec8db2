namespace LumaGateway.Sandbox.Gateway;

/// <summary>The last lines of the gateway's output, shown if it fails. After <see cref="WriteToConsole"/> the lines are also written to the console. Thread-safe.</summary>
internal sealed class GatewayOutput
{
    private const int MaxLines = 200;

    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();
    private bool _writeToConsole;

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lock)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MaxLines)
            {
                _lines.Dequeue();
            }

            if (_writeToConsole)
            {
                Console.WriteLine($"gateway | {line}");
            }
        }
    }

    public void WriteToConsole()
    {
        lock (_lock)
        {
            _writeToConsole = true;
        }
    }

    public string Tail()
    {
        lock (_lock)
        {
            return string.Join('\n', _lines);
        }
    }
}
