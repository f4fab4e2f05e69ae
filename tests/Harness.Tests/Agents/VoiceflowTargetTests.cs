using Harness.Agents;

namespace Harness.Tests.Agents;

public sealed class VoiceflowTargetTests
{
    private const string ServerKey = "VF.DM.server";

    public static TheoryData<AgentSettings, AgentOptions, string> Addresses => new()
    {
        { new(), new(), "https://general-runtime.voiceflow.com" },
        { new(), new() { VoiceflowSubdomain = "eu" }, "https://general-runtime.eu.voiceflow.com" },
        { new(), new() { VoiceflowSubdomain = "eu", VoiceflowRuntimeUrl = "http://vf.internal/x/" }, "http://vf.internal/x" },
        { new() { Subdomain = "a.b-c" }, new() { VoiceflowRuntimeUrl = "http://vf.internal" }, "https://general-runtime.a.b-c.voiceflow.com" },
        { new() { Subdomain = "eu", RuntimeUrl = "https://own.voiceflow.com//" }, new(), "https://own.voiceflow.com" },
        { new() { Subdomain = "", RuntimeUrl = " " }, new() { VoiceflowSubdomain = " " }, "https://general-runtime.voiceflow.com" },
    };

    [Theory]
    [MemberData(nameof(Addresses))]
    public void TheRequestsUrlBeatsItsSubdomainBeatsTheServers(AgentSettings settings, AgentOptions options, string runtime)
    {
        options.VoiceflowApiKey = ServerKey;

        Assert.Equal(runtime, VoiceflowTarget.Resolve(settings, options).Runtime);
    }

    [Theory]
    [InlineData("https://general-runtime.voiceflow.com")]
    [InlineData("https://voiceflow.com:8443/x")]
    [InlineData("http://127.0.0.1:9000")]
    [InlineData("http://localhost:9000")]
    [InlineData("http://[::1]:9000")]
    [InlineData("http://vf.internal:8080/base/")]
    public void TheServersKeyGoesToItsOwnUrlToVoiceflowAndToThisMachine(string runtime)
    {
        var options = new AgentOptions { VoiceflowApiKey = ServerKey, VoiceflowRuntimeUrl = "http://vf.internal:8080/base" };

        var target = VoiceflowTarget.Resolve(new AgentSettings { RuntimeUrl = runtime }, options);

        Assert.Equal(ServerKey, target.Key);
    }

    [Theory]
    [InlineData("http://general-runtime.voiceflow.com")]
    [InlineData("https://evil.example")]
    [InlineData("https://voiceflow.com.evil.example")]
    [InlineData("https://evilvoiceflow.com")]
    [InlineData("http://vf.internal:8081/base")]
    [InlineData("http://vf.internal:8080/other")]
    [InlineData("http://127.0.0.1.evil.example")]
    public void TheServersKeyGoesNowhereElse(string runtime)
    {
        var options = new AgentOptions { VoiceflowApiKey = ServerKey, VoiceflowRuntimeUrl = "http://vf.internal:8080/base" };
        var settings = new AgentSettings { RuntimeUrl = runtime };

        var failure = Assert.Throws<AgentException>(() => VoiceflowTarget.Resolve(settings, options));
        var own = VoiceflowTarget.Resolve(settings with { ApiKey = "own" }, options);

        Assert.Contains("needs its own api_key", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(ServerKey, failure.Message, StringComparison.Ordinal);
        Assert.Equal(("own", runtime), (own.Key, own.Runtime));
    }

    [Theory]
    [InlineData("eu/../x")]
    [InlineData("evil.example/")]
    [InlineData("evil.example#")]
    [InlineData("a@b")]
    [InlineData("-a")]
    [InlineData("a..b")]
    [InlineData("a.")]
    [InlineData("ü")]
    [InlineData("a\nb")]
    public void ASubdomainIsAPlainName(string subdomain)
    {
        var settings = new AgentSettings { ApiKey = "k", Subdomain = subdomain };

        var failure = Assert.Throws<AgentException>(() => VoiceflowTarget.Resolve(settings, new AgentOptions()));

        Assert.StartsWith("voiceflow_subdomain must be a plain subdomain", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("vf.internal")]
    [InlineData("ftp://vf.internal")]
    [InlineData("https://user:pass@vf.internal")]
    [InlineData("file:///etc/passwd")]
    public void ARuntimeUrlIsAnHttpAddressWithoutAPassword(string url)
    {
        var settings = new AgentSettings { ApiKey = "k", RuntimeUrl = url };

        var failure = Assert.Throws<AgentException>(() => VoiceflowTarget.Resolve(settings, new AgentOptions()));

        Assert.StartsWith("voiceflow_runtime_url must be an absolute http or https URL", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pass@", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a\r\nX-Evil: 1")]
    [InlineData("schlüssel")]
    public void AKeyThatNoHeaderCanHoldIsNotRepeated(string key)
    {
        var failure = Assert.Throws<AgentException>(
            () => VoiceflowTarget.Resolve(new AgentSettings { ApiKey = key }, new AgentOptions()));

        Assert.StartsWith("The request's api_key holds a character that cannot be sent", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WithoutAnyKeyTheErrorSaysWhereToSetOne()
    {
        var failure = Assert.Throws<AgentException>(
            () => VoiceflowTarget.Resolve(new AgentSettings { ApiKey = " " }, new AgentOptions { VoiceflowApiKey = "" }));

        Assert.Contains("set VF_API_KEY, --voiceflow-api-key or the request's api_key", failure.Message, StringComparison.Ordinal);
    }
}
