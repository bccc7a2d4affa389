select '{{ modules.re.sub("[aeiou]", "_", "hello") }}', '{{ modules.re.match("a(b)", "abc").group(1) }}', '{{ modules.datetime.date(2025, 1, 31) }}', '{{ modules.datetime.datetime(2025, 1, 31, 10, 5) }}',
    '{{ (modules.datetime.datetime(2025, 1, 31) + modules.datetime.timedelta(days=1)).strftime("%Y-%m-%d") }}', '{{ modules.datetime.datetime.strptime("2025-02-03", "%Y-%m-%d").isoformat() }}',
    '{{ local_md5("x") }}', '{{ modules.itertools.chain([1], [2]) | list }}', '{{ zip([1, 2], ["a", "b"]) | list }}', '{{ set([1, 1]) | list }}'
