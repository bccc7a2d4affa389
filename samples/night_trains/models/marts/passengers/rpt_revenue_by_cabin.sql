with bookings as (

    select * from {{ ref('fct_bookings') }}

),

cabin_types as (

    select * from {{ ref('cabin_types') }}

),

fares as (

    select * from {{ ref('fares_history') }}
    where dbt_valid_to is null

),

current_fares as (

    select
        cabin_type,
        round(avg(price_eur), 2) as average_fare_eur

    from fares
    group by cabin_type

),

final as (

    select
        cabin_types.cabin_type,
        cabin_types.description,
        current_fares.average_fare_eur,
        count(bookings.booking_id) as bookings,
        coalesce(sum(bookings.berths), 0) as berths_sold,
        coalesce(sum(bookings.price_eur), 0) as revenue_eur

    from cabin_types
    left join bookings
        on cabin_types.cabin_type = bookings.cabin_type
        and bookings.is_travelled
    left join current_fares
        on cabin_types.cabin_type = current_fares.cabin_type
    group by cabin_types.cabin_type, cabin_types.description, current_fares.average_fare_eur

)

select * from final
