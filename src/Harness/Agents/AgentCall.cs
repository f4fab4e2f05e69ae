using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Harness.Agents;

/// <summary>One kind of call to one peer: its time limit, its secrets, and what its failures are called.</summary>
internal sealed class AgentCall
{
    /// <summary>The peer as users know it, such as <c>Voiceflow</c>.</summary>
    public required string Peer { get; init; }

    /// <summary>Where it is; without secrets.</summary>
    public required string Address { get; init; }

    /// <summary>Where the address can be set, for the advice when nobody is there.</summary>
    public required string AddressSetting { get; init; }

    /// <summary>From the first byte of the request to the last of the answer.</summary>
    public required TimeSpan TimeLimit { get; init; }

    /// <summary>Where the time limit can be set.</summary>
    public string TimeLimitSetting { get; init; } = "Harness:Agents:CallTimeLimit";

    /// <summary>What must not be in an error, whatever the peer sends back.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>What to do about a status code of this peer; null: the general advice.</summary>
    public Func<int, string?> Advice { get; init; } = _ => null;

    /// <summary>Runs the call under its time limit.</summary>
    /// <exception cref="AgentException">The limit passed, or the peer could not be reached.</exception>
    /// <exception cref="OperationCanceledException">The caller's token was cancelled, and only then.</exception>
    public async Task<T> RunAsync<T>(
        Func<CancellationToken, Task<T>> send, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeLimit, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await send(stop.Token);
        }
        catch (Exception exception) when (exception is not AgentException && cancellationToken.IsCancellationRequested)
        {
            // An aborted call ends in many exceptions; the caller asked for one.
            throw new OperationCanceledException("The call was cancelled", exception, cancellationToken);
        }
        catch (Exception exception) when (exception is not AgentException && limit.IsCancellationRequested)
        {
            throw new AgentException(
                $"{Peer} ({Address}) did not answer within {Seconds(TimeLimit)}; raise {TimeLimitSetting} if it needs longer",
                exception);
        }
        catch (Exception exception) when (Cause(exception) is { } cause)
        {
            throw new AgentException($"{Peer} ({Address}) could not be reached: {Reason(cause)}. Check {AddressSetting}", exception);
        }
    }

    /// <summary>The answer has a status other than 2xx.</summary>
    public AgentException Refused(HttpAnswer answer)
    {
        var said = Excerpt.Of(answer.Body, Secrets);
        var quote = said.Length == 0 ? "" : $" \"{said}\"";
        var advice = Advice(answer.Status) ?? GeneralAdvice(answer);
        return new AgentException($"{Peer} ({Address}) answered {answer.Status}{quote}. {advice}");
    }

    /// <summary>The answer has a good status and a body that cannot be used.</summary>
    public AgentException Unusable(byte[] body, string expected, Exception? inner = null)
    {
        var said = Excerpt.Of(body, Secrets);
        return new AgentException(
            $"{Peer} ({Address}) answered {(said.Length == 0 ? "nothing" : $"\"{said}\"")} where {expected} was expected. "
            + $"Check {AddressSetting}", inner);
    }

    /// <summary>The peer is well, and will not do what it was asked.</summary>
    /// <param name="reason">Its own words.</param>
    public AgentException Declined(string reason) => new($"{Peer} refused: \"{Excerpt.Of(reason, Secrets)}\"");

    /// <summary>The answer does not end within the limit.</summary>
    public AgentException TooLong(int bytes) =>
        new($"{Peer} ({Address}) answered more than {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes; "
            + "raise Harness:Agents:MaxReplyBytes if that is right");

    private static string Seconds(TimeSpan span) => span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture) + " s";

    private static string GeneralAdvice(HttpAnswer answer) => answer.Status switch
    {
        429 => $"It takes no more calls for now; try again {Later(answer.RetryAfter)}, or run fewer tests at once",
        >= 500 => "The fault is on its side; try again later",
        >= 300 and < 400 => "Redirects are not followed; set the final address",
        _ => "Check the address and what the request says",
    };

    private static string Later(RetryConditionHeaderValue? retryAfter) => retryAfter switch
    {
        { Delta: { } delta } => $"in {Seconds(delta)}",
        { Date: { } date } => $"after {date.UtcDateTime:u}",
        _ => "later",
    };

    // Packages wrap what the network threw.
    private static Exception? Cause(Exception? exception) => exception switch
    {
        null or AgentException => null,
        OperationCanceledException or HttpRequestException or IOException or InvalidDataException => exception,
        _ => Cause(exception.InnerException),
    };

    // The exception's own text can hold the whole address with its query, so it is not quoted.
    private static string Reason(Exception exception) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "no such host",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "nothing accepts connections there",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => "no secure connection could be made",
        HttpRequestException { InnerException: AuthenticationException } => "no secure connection could be made",
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } => "it does not speak HTTP as it should",
        OperationCanceledException => "no connection was made in time",
        InvalidDataException => "its answer is not compressed as it says",
        _ => "the connection broke off",
    };
}
