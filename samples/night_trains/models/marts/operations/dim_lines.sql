with lines as (

    select * from {{ ref('stg_rail__lines') }}

),

stations as (

    select * from {{ ref('stg_rail__stations') }}

),

final as (

    select
        lines.line_code,
        lines.line_name,
        origins.city as origin_city,
        origins.country_code as origin_country_code,
        destinations.city as destination_city,
        destinations.country_code as destination_country_code,
        lines.distance_km,
        lines.opened_in_year,
        origins.country_code <> destinations.country_code as is_international

    from lines
    inner join stations as origins
        on lines.origin_station_code = origins.station_code
    inner join stations as destinations
        on lines.destination_station_code = destinations.station_code

)

select * from final
